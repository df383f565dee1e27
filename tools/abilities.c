// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What a host can do: asked of this one's KVM, or read from what another one printed. */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "file.h"

#define ABILITIES_BYTES_MAX (1u << 20)

static const struct named_bit abilities_bits[] = {
	{ KVMCLOCK_HAS_CLOCK, "clock", "" }, { KVMCLOCK_HAS_REALTIME, "realtime", "" },
	{ KVMCLOCK_HAS_HOST_TSC, "host_tsc", "" }, { KVMCLOCK_HAS_OFFSET, "offset", "" },
	{ KVMCLOCK_HAS_SCALE, "scale", "" }, { KVMCLOCK_HAS_LINE, "line", "" },
	{ KVMCLOCK_HAS_VM_KHZ, "vm_khz", "" }, { KVMCLOCK_HAS_SCALING, "scaling", "" },
	{ KVMCLOCK_HAS_EXACT, "exact", "" }, { KVMCLOCK_IS_MASTER, "master", "" },
	{ KVMCLOCK_HAS_READING, "reading", "" }, { 0 }
};

#define OF(name, member, type) { name, offsetof(struct kvmclock_abilities, member), FIELD_##type, "", "", 0, 0 }

static const struct field abilities_fields[] = {
	OF("tier", tier, U32), OF("host_khz", host_khz, U32), OF("frac_bits", frac_bits, U32),
	OF("tolerance_ppm", tolerance_ppm, U32), { 0 }
};

static const struct field reading_fields[] = {
	OF("htsc", now.htsc, U64), OF("realtime_ns", now.realtime_ns, I64),
	OF("tai_offset_s", now.tai_offset_s, I64),
	OF("realtime_error_ns", now.realtime_error_ns, U64_OR_UNKNOWN),
	OF("width_ns", now.width_ns, U64_OR_UNKNOWN), { 0 }
};

struct kvmclock_abilities abilities_all(const struct kvmclock_state *state)
{
	return (struct kvmclock_abilities) {
		.size = sizeof(struct kvmclock_abilities), .frac_bits = state->frac_bits,
		.bits = KVMCLOCK_HAS_CLOCK | KVMCLOCK_HAS_REALTIME | KVMCLOCK_HAS_HOST_TSC |
			KVMCLOCK_HAS_OFFSET | KVMCLOCK_HAS_SCALE | KVMCLOCK_HAS_LINE |
			KVMCLOCK_HAS_VM_KHZ | KVMCLOCK_HAS_SCALING | KVMCLOCK_HAS_EXACT,
		.host_khz = state->host_khz, .tolerance_ppm = 250,
	};
}

struct json_object *abilities_json(const struct kvmclock_abilities *abilities)
{
	struct json_object *object = json_object_new_object(), *reading;
	const struct field *field;

	json_object_object_add(object, "has", bits_json(abilities->bits, abilities_bits));
	for (field = abilities_fields; field->name; field++)
		json_object_object_add(object, field->name, field_json(field, abilities));
	if (!(abilities->bits & KVMCLOCK_HAS_READING))
		return object;
	reading = json_object_new_object();
	for (field = reading_fields; field->name; field++)
		json_object_object_add(reading, field->name, field_json(field, abilities));
	json_object_object_add(object, "reading", reading);
	return object;
}

void print_abilities(struct json_object *abilities, FILE *to)
{
	struct json_object *has = json_object_object_get(abilities, "has");

	fputs("host:   ", to);
	for (const struct field *field = abilities_fields; field->name; field++)
		fprintf(to, "%s%s %s", field == abilities_fields ? "" : ", ", field->name,
			json_object_get_string(json_object_object_get(abilities, field->name)));
	fputs("\n        has", to);
	for (size_t i = 0; i < json_object_array_length(has); i++)
		fprintf(to, " %s", json_object_get_string(json_object_array_get_idx(has, i)));
	fputc('\n', to);
}

/* ---- reading -------------------------------------------------------------- */

static int read_bits(struct json_object *names, uint32_t *bits)
{
	for (size_t i = 0; i < json_object_array_length(names); i++) {
		const char *name = json_object_get_string(json_object_array_get_idx(names, i));
		const struct named_bit *bit = abilities_bits;

		while (bit->name && strcmp(bit->name, name ? name : ""))
			bit++;
		if (!bit->name)
			return -1;
		*bits |= bit->bit;
	}
	return 0;
}

static bool fits(enum field_type type, struct json_object *value)
{
	errno = 0;
	if (type == FIELD_I64)
		return json_object_get_int64(value), !errno;
	if (json_object_get_int64(value) < 0)
		return false;
	errno = 0;
	return json_object_get_uint64(value) <= (type == FIELD_U32 ? UINT32_MAX : UINT64_MAX) && !errno;
}

static int read_field(const struct field *field, struct json_object *object,
		      struct kvmclock_abilities *abilities)
{
	uint8_t *at = (uint8_t *)abilities + field->offset;
	uint64_t value = KVMCLOCK_UNKNOWN;
	struct json_object *found;

	if (!json_object_object_get_ex(object, field->name, &found))
		return -1;
	if (found || field->type != FIELD_U64_OR_UNKNOWN) {
		if (!json_object_is_type(found, json_type_int) || !fits(field->type, found))
			return -1;
		value = field->type == FIELD_I64 ? (uint64_t)json_object_get_int64(found) :
			json_object_get_uint64(found);
	}
	/* Little-endian, as all that has KVM's clock. */
	memcpy(at, &value, field->type == FIELD_U32 ? 4 : 8);
	return 0;
}

/* Of these kvmclock_plan() makes conditions. */
static bool is_in_domain(const struct kvmclock_abilities *abilities)
{
	return abilities->tier <= KVMCLOCK_TIER_3 && abilities->host_khz &&
	       abilities->frac_bits >= 32 && abilities->frac_bits <= 62 &&
	       abilities->tolerance_ppm <= 1000000;
}

/* The first member that is not as it should be, or NULL. */
static const char *read_object(struct json_object *object, struct kvmclock_abilities *abilities)
{
	struct json_object *names, *reading = json_object_object_get(object, "reading");
	const struct field *field;

	if (!json_object_object_get_ex(object, "has", &names) ||
	    !json_object_is_type(names, json_type_array) || read_bits(names, &abilities->bits))
		return "has";
	for (field = abilities_fields; field->name; field++)
		if (read_field(field, object, abilities))
			return field->name;
	if (!is_in_domain(abilities))
		return "a number is outside its domain";
	if (!(abilities->bits & KVMCLOCK_HAS_READING))
		return NULL;
	for (field = reading_fields; field->name; field++)
		if (!json_object_is_type(reading, json_type_object) ||
		    read_field(field, reading, abilities))
			return field->name;
	return NULL;
}

int abilities_read(const char *path, struct kvmclock_abilities *abilities)
{
	enum json_tokener_error error = json_tokener_success;
	struct json_object *document = NULL, *object = NULL;
	size_t length;
	char *text = (char *)file_read(path, ABILITIES_BYTES_MAX, &length);
	const char *wrong;

	if (!text)
		return -1;
	document = json_tokener_parse_verbose(text, &error);
	free(text);
	if (json_object_is_type(document, json_type_object))
		object = json_object_object_get(document, "abilities");
	*abilities = (struct kvmclock_abilities) { .size = sizeof(*abilities) };
	wrong = json_object_is_type(object, json_type_object) ? read_object(object, abilities) : "abilities";
	json_object_put(document);
	if (wrong)
		return fail(path, "%s: not as kvmclock predict --abilities prints it: print it anew on that host",
			    error ? json_tokener_error_desc(error) : wrong);
	return 0;
}

/* ---- asking --------------------------------------------------------------- */

static int open_kvm(char *path, size_t room)
{
	int fd;

	snprintf(path, room, "%s/dev/kvm", settings.root);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		return fail(path, "there is no KVM: load kvm_intel or kvm_amd, or give another host's abilities by --host");
	return fail(path, "%s: become root or a member of its group, or give a host's abilities by --host",
		    strerror(errno));
}

/* As it is, where it can be read: KVM tells it nowhere else. */
static void read_tolerance(struct kvmclock_abilities *abilities)
{
	char path[4096];
	unsigned int ppm;
	FILE *file;

	snprintf(path, sizeof(path), "%s/sys/module/kvm/parameters/tsc_tolerance_ppm", settings.root);
	file = fopen(path, "re");
	if (file && fscanf(file, "%7u", &ppm) == 1 && ppm <= 1000000)
		abilities->tolerance_ppm = ppm;
	if (file)
		fclose(file);
}

/* Does an offset that is set hold?  There are KVMs that take any, and apply none. */
static bool offset_holds(int vcpu_fd)
{
	uint64_t before = 0, set, after = 0;
	struct kvm_device_attr attr = { .group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET };

	attr.addr = (uintptr_t)&before;
	if (ioctl(vcpu_fd, KVM_GET_DEVICE_ATTR, &attr))
		return false;
	set = before - 1000000;
	attr.addr = (uintptr_t)&set;
	if (ioctl(vcpu_fd, KVM_SET_DEVICE_ATTR, &attr))
		return false;
	attr.addr = (uintptr_t)&after;
	return !ioctl(vcpu_fd, KVM_GET_DEVICE_ATTR, &attr) && after == set;
}

static void try_offset(struct document *doc, int vm_fd, int *vcpu_fd, struct kvmclock_abilities *abilities)
{
	if (*vcpu_fd < 0)
		*vcpu_fd = ioctl(vm_fd, KVM_CREATE_VCPU, 0);
	if (!(abilities->bits & KVMCLOCK_HAS_OFFSET) || *vcpu_fd < 0 || offset_holds(*vcpu_fd))
		return;
	abilities->bits &= ~KVMCLOCK_HAS_OFFSET;
	abilities->tier = KVMCLOCK_TIER_3;
	document_finding(doc, "offset_ignored", VERDICT_UNSAFE,
			 "This KVM takes a TSC offset and does not apply it: a guest's TSC would not be as it was",
			 "run guests whose clocks matter on another host; kvmclock_verify(3) measures it after a restore");
}

int abilities_probe(struct kvmclock_abilities *abilities, struct document *doc)
{
	struct kvmclock_error error = { .size = sizeof(error) };
	char path[4096];
	int32_t vcpu_fd = -1;
	struct kvmclock_vm vm = { .size = sizeof(vm), .kvm_fd = open_kvm(path, sizeof(path)),
				  .vm_fd = -1, .vcpu_fds = &vcpu_fd };
	int ret = -1;

	if (vm.kvm_fd < 0)
		return -1;
	*abilities = (struct kvmclock_abilities) { .size = sizeof(*abilities) };
	vm.vm_fd = ioctl(vm.kvm_fd, KVM_CREATE_VM, 0);
	if (vm.vm_fd < 0) {
		fail(path, "KVM_CREATE_VM: %s: another hypervisor may hold the processor", strerror(errno));
		goto out;
	}
	ret = kvmclock_probe(&vm, abilities, &error);
	/* Before 5.19 only a vCPU tells the frequency. */
	if (ret == KVMCLOCK_E_SYSTEM && error.sys_errno == ENOTTY) {
		vcpu_fd = ioctl(vm.vm_fd, KVM_CREATE_VCPU, 0);
		vm.vcpu_count = vcpu_fd >= 0;
		ret = kvmclock_probe(&vm, abilities, &error);
	}
	ret = ret ? library_failed(doc, path, &error) : 0;
	if (!ret)
		try_offset(doc, vm.vm_fd, &vcpu_fd, abilities);
	read_tolerance(abilities);
out:
	if (vcpu_fd >= 0)
		close(vcpu_fd);
	if (vm.vm_fd >= 0)
		close(vm.vm_fd);
	close(vm.kvm_fd);
	return ret;
}
