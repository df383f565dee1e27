// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "host.h"
#include "files.h"
#include "tool.h"

#include <string.h>

#define MODULES "/sys/module"
#define MODULE MODULES "/kvm"
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0"

const char *kvm_kind_word(enum kvm_kind kind)
{
	static const char *const of[] = { "unknown", "none", "stock", "ours" };

	return of[kind];
}

const char *vendor_word(enum vendor vendor)
{
	static const char *const of[] = { "other", "intel", "amd" };

	return of[vendor];
}

/* ---- the CPU ---------------------------------------------------------------- */

static enum vendor vendor_of(const char *id)
{
	if (!strcmp(id, "GenuineIntel"))
		return VENDOR_INTEL;
	return !strcmp(id, "AuthenticAMD") || !strcmp(id, "HygonGenuine") ? VENDOR_AMD : VENDOR_OTHER;
}

/* What KVM says later goes before this. */
static void guess_scaling(struct host_facts *host, const char *vmx_flags)
{
	host->scaling = host->frac_bits = HOST_UNKNOWN;
	if (host->vendor == VENDOR_AMD && has_word(host->flags, "svm")) {
		host->scaling = has_word(host->flags, "tsc_scale");
		host->frac_bits = 32;
	} else if (*vmx_flags) {
		host->scaling = has_word(vmx_flags, "tsc_scaling");
		host->frac_bits = 48;
	}
}

/* Of the first processor only: a big host has megabytes of it. */
static void read_cpu(struct host_facts *host)
{
	static char text[16384], vmx_flags[2048];
	char id[32] = "", *end;

	read_text(text, sizeof(text), "/proc/cpuinfo");
	end = strstr(text, "\n\n");
	if (end)
		*end = 0;
	find_value(text, "vendor_id", ':', id, sizeof(id));
	find_value(text, "model name", ':', host->cpu, sizeof(host->cpu));
	find_value(text, "flags", ':', host->flags, sizeof(host->flags));
	find_value(text, "vmx flags", ':', vmx_flags, sizeof(vmx_flags));
	host->vendor = vendor_of(id);
	guess_scaling(host, vmx_flags);
}

/* ---- the module ------------------------------------------------------------- */

static int64_t parameter(const char *name)
{
	char text[32];
	uint64_t value;

	if (read_line(text, sizeof(text), MODULE "/parameters/%s", name) <= 0)
		return HOST_UNKNOWN;
	if (!strcmp(text, "Y") || !strcmp(text, "N"))
		return *text == 'Y';
	return parse_number(text, &value) && value <= INT64_MAX ? (int64_t)value : HOST_UNKNOWN;
}

/* A parameter that only ours has tells it, to everybody. */
static void read_module(struct host_facts *host)
{
	if (!exists_below(MODULES))
		host->kvm = KVM_IS_UNKNOWN;
	else if (!exists_below(MODULE))
		host->kvm = KVM_IS_NONE;
	else if (exists_below(MODULE "/parameters/offset_master_clock"))
		host->kvm = KVM_IS_OURS;
	else
		host->kvm = KVM_IS_STOCK;
	host->vendor_module = exists_below(MODULE "_intel") || exists_below(MODULE "_amd");
	host->tolerance_ppm = parameter("tsc_tolerance_ppm");
	host->periodic_sync = parameter("kvmclock_periodic_sync");
	host->sync_period_ms = parameter("kvmclock_sync_period_ms");
	host->offset_master_clock = parameter("offset_master_clock");
}

/* ---- /dev/kvm --------------------------------------------------------------- */

static void read_device(struct host_facts *host)
{
	const struct kvmclock_abilities *abilities = &host->device.abilities;

	host->tsc_khz = host->tier = HOST_UNKNOWN;
	host->device = device_ask();
	if (host->device.error)
		return;
	host->tsc_khz = abilities->host_khz;
	host->tier = abilities->tier;
	host->scaling = !!(abilities->bits & KVMCLOCK_HAS_SCALING);
	host->frac_bits = abilities->frac_bits;
}

/* ---- all of it -------------------------------------------------------------- */

const struct host_facts *host_facts(void)
{
	static struct host_facts host;
	static bool read;

	if (read)
		return &host;
	read = true;
	read_line(host.kernel, sizeof(host.kernel), "/proc/sys/kernel/osrelease");
	read_line(host.clocksource, sizeof(host.clocksource), CLOCKSOURCE "/current_clocksource");
	read_line(host.clocksources, sizeof(host.clocksources),
		  CLOCKSOURCE "/available_clocksource");
	read_cpu(&host);
	read_module(&host);
	read_device(&host);
	return &host;
}

bool host_has_flag(const char *flag)
{
	return has_word(host_facts()->flags, flag);
}

bool host_lacks_virtualization(void)
{
	return *host_facts()->flags && !host_has_flag("vmx") && !host_has_flag("svm");
}

void find_kvm_unknown(struct document *doc)
{
	char says[512];

	snprintf(says, sizeof(says), "There is no %.300s" MODULES ", so whether a KVM is loaded, and which, is not known",
		 settings.root);
	document_finding(doc, "kvm", VERDICT_UNMEASURED, says,
			 "Run kvmclock where the host's /sys is to be seen, or name the folder that it is in by --root");
}

bool host_counts_by_tsc(const struct host_facts *host)
{
	return !strcmp(host->clocksource, "tsc") || (host->kvm != KVM_IS_OURS &&
	       !strcmp(host->clocksource, "hyperv_clocksource_tsc_page"));
}

static void add_text(struct json_object *object, const char *key, const char *value)
{
	if (*value)
		object_text(object, key, value);
}

static void add_int(struct json_object *object, const char *key, int64_t value)
{
	if (value != HOST_UNKNOWN)
		object_int(object, key, value);
}

/* Those of the flags that say something of the TSC. */
static void add_flags(struct json_object *object)
{
	static const char *const flags[] = {
		"tsc", "constant_tsc", "nonstop_tsc", "nonstop_tsc_s3", "tsc_reliable",
		"tsc_known_freq", "tsc_adjust", "rdtscp", "tsc_scale", "hypervisor",
	};
	struct json_object *list = json_object_new_array();

	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (host_has_flag(flags[i]))
			json_object_array_add(list, json_object_new_string(flags[i]));
	json_object_object_add(object, "flags", list);
}

void document_host(struct document *doc)
{
	const struct host_facts *host = host_facts();
	struct json_object *object = json_object_new_object();

	object_text(object, "kvm", kvm_kind_word(host->kvm));
	add_text(object, "kernel", host->kernel);
	add_text(object, "cpu", host->cpu);
	object_text(object, "vendor", vendor_word(host->vendor));
	add_int(object, "tsc_khz", host->tsc_khz);
	add_text(object, "clocksource", host->clocksource);
	add_text(object, "clocksources", host->clocksources);
	if (host->scaling != HOST_UNKNOWN)
		object_bool(object, "tsc_scaling", host->scaling);
	add_int(object, "tsc_frac_bits", host->frac_bits);
	add_int(object, "tsc_tolerance_ppm", host->tolerance_ppm);
	add_int(object, "tier", host->tier);
	if (*host->flags)
		add_flags(object);
	json_object_object_add(document_json(doc), "host", object);
}
