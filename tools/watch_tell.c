// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "watch_tell.h"
#include "files.h"

#include <stdio.h>
#include <string.h>

#define KVM "/sys/kernel/debug/kvm"
#define MAX_VCPUS 4096

struct told {
	struct kc_line line;
	uint64_t offset_gtsc, ratio;
};

static bool read_value(const char *text, const char *key, uint64_t *value)
{
	char number[24];

	return find_value(text, key, ' ', number, sizeof(number)) && parse_number(number, value);
}

/* Our KVM tells the line: it need not be drawn for us to know it. */
static bool read_line_of(struct watch_vm_id id, struct told *told)
{
	uint64_t mul, shift, gtsc, ns;
	char text[4096];

	if (read_text(text, sizeof(text), KVM "/%u-%u/clock", id.pid, id.fd) <= 0 ||
	    !read_value(text, "line_gtsc", &gtsc) || !read_value(text, "line_ns", &ns) ||
	    !read_value(text, "line_mul", &mul) || !read_value(text, "line_shift", &shift) ||
	    !read_value(text, "generation_ratio", &told->ratio) ||
	    !read_value(text, "generation_offset_gtsc", &told->offset_gtsc))
		return false;
	told->line = (struct kc_line){ gtsc, ns, { (u32)mul, (s8)shift } };
	return mul <= UINT32_MAX && !strstr(text, "mode host");
}

/* As the vCPU sees it, if its TSC runs at the generation's rate. */
static void tell_line(struct watch_model *model, struct watch_vm_id id, uint32_t vcpu, uint64_t offset,
		      const struct told *told, uint64_t now_ns)
{
	uint64_t ratio;

	if (!read_number(&ratio, KVM "/%u-%u/vcpu%u/tsc-scaling-ratio", id.pid, id.fd, vcpu) && ratio != told->ratio)
		return;
	watch_model_line(model, id, vcpu, kc_line_translated(told->line, offset - told->offset_gtsc),
			 now_ns);
}

static void tell_vcpus(struct watch_model *model, struct watch_vm_id id, DIR *folder, uint64_t now_ns)
{
	const struct dirent *entry;
	struct told told;
	bool is_told = now_ns && read_line_of(id, &told);
	uint64_t offset;
	unsigned int vcpu;
	char rest;

	while ((entry = readdir(folder)) != NULL) {
		if (sscanf(entry->d_name, "vcpu%u%c", &vcpu, &rest) != 1 || vcpu >= MAX_VCPUS ||
		    read_number(&offset, KVM "/%u-%u/vcpu%u/tsc-offset", id.pid, id.fd, vcpu))
			continue;
		watch_model_offset(model, id, vcpu, offset);
		if (is_told)
			tell_line(model, id, vcpu, offset, &told, now_ns);
	}
}

/* Only ours has the file that tells of the clock, and draws a line for each offset that changes. */
void watch_tell(struct watch_model *model, struct watch_vm_id id, uint64_t now_ns)
{
	DIR *folder = open_folder(KVM "/%u-%u", id.pid, id.fd);

	watch_model_found(model, id, exists_below(KVM "/%u-%u/clock", id.pid, id.fd));
	if (!folder)
		return;
	tell_vcpus(model, id, folder, now_ns);
	closedir(folder);
}
