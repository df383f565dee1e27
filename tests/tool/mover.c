// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * On a host with KVM: kvmclock predict is asked what a restore of a saved VM would do,
 * then it is done, and what came is held against what was said; and kvmclock diff
 * against what was measured.  Each policy in turn; as TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <kvmclock.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { VCPUS = 2, MSR_PAGE = 0x4b564d01, BYTES = 4096, BUDGET_NS = 200 };
#define BASE 0xfffff000u	/* the page in which a vCPU starts, at its end */

static _Alignas(4096) uint8_t memory[BYTES];
static struct { struct kvm_cpuid2 list; struct kvm_cpuid_entry2 entries[256]; } cpuid;
static struct kvmclock_error e = { .size = sizeof(e) };
static int tests, failed;

static void ok(bool holds, const char *what, ...)
{
	va_list more;

	failed |= !holds;
	printf("%sok %d - ", holds ? "" : "not ", ++tests);
	va_start(more, what);
	vprintf(what, more);
	va_end(more);
	putchar('\n');
}

#define MUST(call) must(call, #call)
static int must(int ret, const char *what)
{
	if (ret >= 0)
		return ret;
	printf("Bail out! %s: %s: %s %s\n", what, strerror(errno), kvmclock_strerror(e.code),
	       e.advice ? e.advice : "");
	exit(1);
}

static int read_guest(void *context, uint64_t gpa, void *to, size_t bytes)
{
	(void)context;
	if (gpa < BASE || bytes > BYTES || gpa - BASE > BYTES - bytes)
		return -1;
	memcpy(to, memory + (gpa - BASE), bytes);
	return 0;
}

static const struct kvmclock_ops ops = { .size = sizeof(ops), .read_guest = read_guest };

struct vm {
	struct kvmclock_vm view;
	int32_t fds[VCPUS];
	struct kvmclock_abilities abilities;
};

static void create_vm(struct vm *vm, int kvm)
{
	struct kvm_userspace_memory_region region = { 0, 0, BASE, BYTES, (uintptr_t)memory };

	vm->view = (struct kvmclock_vm) { sizeof(vm->view), kvm, MUST(ioctl(kvm, KVM_CREATE_VM, 0)), 0,
					  vm->fds, &ops };
	vm->abilities.size = sizeof(vm->abilities);
	MUST(ioctl(vm->view.vm_fd, KVM_SET_USER_MEMORY_REGION, &region));
	MUST(kvmclock_probe(&vm->view, &vm->abilities, &e));
}

static void create_vcpus(struct vm *vm)
{
	struct { struct kvm_msrs list; struct kvm_msr_entry msr; } page = { { 1, 0 }, { MSR_PAGE, 0, 0 } };

	for (uint32_t i = 0; i < VCPUS; i++) {
		vm->fds[i] = MUST(ioctl(vm->view.vm_fd, KVM_CREATE_VCPU, i));
		MUST(ioctl(vm->fds[i], KVM_SET_CPUID2, &cpuid));
		page.msr.data = (BASE + 64 * i) | 1;
		MUST(ioctl(vm->fds[i], KVM_SET_MSRS, &page) - 1);
	}
	vm->view.vcpu_count = VCPUS;
}

static void close_vm(struct vm *vm)
{
	for (int i = 0; i < VCPUS; i++)
		close(vm->fds[i]);
	close(vm->view.vm_fd);
}

/* As kvmclock_recipe(7): stock KVM draws the clock anew at a vCPU's first run. */
static void settle(int fd)
{
	struct { struct kvm_signal_mask head; uint8_t none[8]; } open_mask = { { 8 }, { 0 } };
	sigset_t usr1;

	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	sigprocmask(SIG_BLOCK, &usr1, NULL);
	MUST(ioctl(fd, KVM_SET_SIGNAL_MASK, &open_mask));
	raise(SIGUSR1);
	ioctl(fd, KVM_RUN, 0);
	sigwaitinfo(&usr1, NULL);
	MUST(ioctl(fd, KVM_SET_SIGNAL_MASK, NULL));
}

static void save(struct vm *vm, struct kvmclock_state *state, const char *path)
{
	static uint8_t bytes[4096];
	size_t used = 0;
	FILE *file = fopen(path, "w");

	MUST(kvmclock_save(&vm->view, &vm->abilities, state, &e));
	MUST(kvmclock_encode(state, bytes, sizeof(bytes), &used, &e));
	MUST(file && fwrite(bytes, 1, used, file) == used && !fclose(file) ? 0 : -1);
}

/* The command's document; *code is its exit. */
static struct json_object *ask(int *code, const char *command, ...)
{
	char text[512];
	va_list more;
	int status;

	va_start(more, command);
	vsnprintf(text, sizeof(text), command, more);
	va_end(more);
	fflush(stdout);
	status = system(text);
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
	return json_object_from_file("said.json");
}

static uint64_t number(struct json_object *of, const char *key)
{
	struct json_object *value = json_object_object_get(of, key);

	return value ? json_object_get_uint64(value) : KVMCLOCK_UNKNOWN;
}

static int64_t figure(struct json_object *doc, const char *name)
{
	struct json_object *list = json_object_object_get(doc, "figures");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *one = json_object_array_get_idx(list, i);

		if (!strcmp(json_object_get_string(json_object_object_get(one, "name")), name))
			return json_object_get_int64(json_object_object_get(one, "value"));
	}
	return INT64_MAX;
}

/* What was said, before it is done. */
struct said {
	int exit;
	bool possible;
	uint64_t tier, step_ns, step_cycles, elapsed_ns;
};

static struct said predict(const char *policy)
{
	struct said said = { 0 };
	struct json_object *doc = ask(&said.exit, "kvmclock predict --json --policy %s --budget-ns %d "
				      "--budget-ppb 10 --lowest-tier 1 state >said.json", policy, BUDGET_NS);
	struct json_object *plan = json_object_array_get_idx(json_object_object_get(doc, "plans"), 0);

	said.possible = json_object_get_boolean(json_object_object_get(plan, "possible"));
	said.tier = number(plan, "tier");
	said.step_ns = number(plan, "step_ns");
	said.step_cycles = number(plan, "step_cycles");
	said.elapsed_ns = number(plan, "elapsed_ns");
	printf("# %s: exit %d, tier %" PRIu64 ", at most %" PRIu64 " ns, %" PRIu64 " cycles, elapsed %" PRIu64 " ns\n",
	       policy, said.exit, said.tier, said.step_ns, said.step_cycles, said.elapsed_ns);
	json_object_put(doc);
	return said;
}

static void check_diff(const char *policy, const struct said *said)
{
	int code;
	struct json_object *doc = ask(&code, "kvmclock diff --json --policy %s --budget-ns %" PRIu64
				      " --budget-ppb 10 state after >said.json", policy, said->step_ns);
	int64_t step = figure(doc, "clock_step"), cycles = figure(doc, "tsc_step");

	printf("# %s: diff: exit %d, clock %" PRId64 " ns, TSC %" PRId64 " cycles\n", policy, code, step, cycles);
	ok(step >= -(int64_t)said->step_ns && step <= (int64_t)said->step_ns,
	   "%s: diff finds the clock's step within what was predicted", policy);
	/* Elsewhere time passes between the chosen instant and the second save. */
	if (!strcmp(policy, "live-update"))
		ok(!code && !cycles, "%s: diff finds the TSC as it was to be, and all good", policy);
	json_object_put(doc);
}

/* What people read. */
static void show(const char *arguments)
{
	char text[256];

	printf("# $ kvmclock %s\n", arguments);
	fflush(stdout);
	snprintf(text, sizeof(text), "kvmclock %s | sed 's/^/# /'", arguments);
	MUST(system(text));
}

static void move(int kvm, uint32_t by, const char *policy)
{
	struct vm old, new;
	struct kvmclock_vcpu vcpus[2][VCPUS];
	struct kvmclock_state state = { .size = sizeof(state), .vcpus = vcpus[0], .vcpu_room = VCPUS };
	struct kvmclock_state after = { .size = sizeof(after), .vcpus = vcpus[1], .vcpu_room = VCPUS };
	struct kvmclock_request request = { .size = sizeof(request), .policy = by, .max_step_ns = BUDGET_NS,
		.flags = KVMCLOCK_NO_BACKWARDS, .max_rate_ppb = 10, .lowest_tier = KVMCLOCK_TIER_1,
		/* Bounds that a busy machine does not reach. */
		.max_tries = 4000, .max_time_us = 500000 };
	struct kvmclock_restore restore = { .size = sizeof(restore) };
	struct kvmclock_result result = { .size = sizeof(result) };
	struct kvmclock_verdict seen = { .size = sizeof(seen) };
	struct said said;

	create_vm(&old, kvm);
	create_vcpus(&old);
	for (int i = 0; i < VCPUS; i++)
		MUST(ioctl(old.fds[i], KVM_RUN, 0));
	save(&old, &state, "state");
	usleep(20000);
	said = predict(policy);
	ok(said.possible && !said.exit, "%s: predicted to be good", policy);
	create_vm(&new, kvm);
	MUST(kvmclock_restore_vm(&restore, &new.view, &state, &new.abilities, &request, &e));
	create_vcpus(&new);
	for (uint32_t i = 0; i < VCPUS; i++)
		MUST(kvmclock_restore_vcpu(&restore, &new.view, i, &e));
	for (int i = 0; i < VCPUS; i++)
		settle(new.fds[i]);
	MUST(kvmclock_restore_finish(&restore, &new.view, &result, &e));
	MUST(kvmclock_verify(&restore, &new.view, 0, &seen, &e));
	printf("# %s: done: tier %u, %" PRIu64 " ns, %" PRIu64 " cycles, elapsed %" PRIu64 " ns\n", policy,
	       result.tier, seen.worst_ns, seen.worst_cycles, restore.plan.elapsed_ns);
	ok(result.tier == said.tier, "%s: the tier that was predicted", policy);
	ok(seen.worst_ns <= said.step_ns, "%s: the clock within the step that was predicted", policy);
	ok(seen.worst_cycles <= said.step_cycles, "%s: the TSC within the step that was predicted", policy);
	ok(restore.plan.elapsed_ns >= said.elapsed_ns &&
	   restore.plan.elapsed_ns - said.elapsed_ns < (by >= KVMCLOCK_FROZEN ? 1 : 20000000000ull),
	   "%s: the time away that was predicted, and what passed since", policy);
	save(&new, &after, "after");
	check_diff(policy, &said);
	if (by == KVMCLOCK_LIVE_UPDATE) {
		show("decode state");
		show("predict --policy live-update --budget-ns 200 state");
		show("diff state after");
	}
	close_vm(&old);
	close_vm(&new);
}

/* What was refused is refused. */
static void refuse(int kvm)
{
	int code;
	struct json_object *doc = ask(&code, "kvmclock predict --json --policy live-update --budget-ns 0 "
				      "--lowest-tier 0 state >said.json");
	struct json_object *plan = json_object_array_get_idx(json_object_object_get(doc, "plans"), 0);
	struct kvmclock_request request = { .size = sizeof(request), .policy = KVMCLOCK_LIVE_UPDATE,
					    .flags = KVMCLOCK_NO_BACKWARDS };
	struct kvmclock_vcpu vcpus[VCPUS];
	struct kvmclock_state state = { .size = sizeof(state), .vcpus = vcpus, .vcpu_room = VCPUS };
	struct kvmclock_restore restore = { .size = sizeof(restore) };
	static uint8_t bytes[4096];
	struct vm new;
	FILE *file = fopen("state", "r");
	size_t length = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
	int ret;

	MUST(kvmclock_decode(bytes, length, &state, &e));
	create_vm(&new, kvm);
	ret = kvmclock_restore_vm(&restore, &new.view, &state, &new.abilities, &request, &e);
	printf("# no step, tier 0: predicted %d, restored %d\n",
	       json_object_get_int(json_object_object_get(plan, "code")), ret);
	ok(json_object_get_int(json_object_object_get(plan, "code")) == ret, "with no budget, the restore's code");
	ok(code == (ret ? 1 : 0), "... and its exit");
	json_object_put(doc);
	close(new.view.vm_fd);
	if (file)
		fclose(file);
}

int main(void)
{
	int kvm = MUST(open("/dev/kvm", O_RDWR | O_CLOEXEC));

	memcpy(memory + BYTES - 16, "\xf4\xeb\xfd", 3);	/* hlt, over and over */
	cpuid.list.nent = 256;
	MUST(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid));
	move(kvm, KVMCLOCK_LIVE_UPDATE, "live-update");
	move(kvm, KVMCLOCK_ADVANCE, "advance");
	move(kvm, KVMCLOCK_FROZEN, "frozen");
	move(kvm, KVMCLOCK_CLONE, "clone");
	refuse(kvm);
	printf("1..%d\n", tests);
	return failed;
}
