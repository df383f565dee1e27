/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The user interface of kvmclock's KVM, for monitors.  Self-contained: it
 * compiles alone, as C11 and C++17, and before or after <linux/kvm.h> of any
 * age.
 */
#ifndef UAPI_KVM_CLOCK_H
#define UAPI_KVM_CLOCK_H

#include <linux/ioctl.h>
#include <linux/types.h>

/*
 * A line as a guest reads it: n ns = system_time + floor(S(tsc - tsc_timestamp)
 * * tsc_to_system_mul / 2^32), S a shift left by tsc_shift, or right if that is
 * negative.  The kernel's own name, which its exported headers do not define.
 */
#ifndef _ASM_X86_PVCLOCK_ABI_H
#define _ASM_X86_PVCLOCK_ABI_H
struct pvclock_vcpu_time_info {
	__u32 version;			/* odd while the host writes */
	__u32 pad0;
	__u64 tsc_timestamp;		/* the point: guest TSC ticks */
	__u64 system_time;		/* the point: ns */
	__u32 tsc_to_system_mul;	/* the slope: ns per tick times 2^32 ... */
	__s8 tsc_shift;			/* ... after this shift */
	__u8 flags;			/* PVCLOCK_* */
	__u8 pad[2];
} __attribute__((__packed__));
#endif

#ifndef PVCLOCK_TSC_STABLE_BIT
#define PVCLOCK_TSC_STABLE_BIT	(1 << 0)
#endif
#ifndef PVCLOCK_GUEST_STOPPED
#define PVCLOCK_GUEST_STOPPED	(1 << 1)
#endif

/*
 * vCPU ioctls.
 *
 * KVM_GET_CLOCK_GUEST: the line as this vCPU's page has it or would have it,
 * version and pads 0, flags at most the stable bit.  It is current: after a
 * change of frequency or offset no run is needed.
 *   EINVAL	the VM is in host mode: there is no line
 *   EFAULT	the argument
 *
 * KVM_SET_CLOCK_GUEST: the line of the whole VM, through this vCPU's TSC.
 * Version and flags do not count.  Set the frequency first, then the TSC
 * offset, then the line.  A refused line changes nothing.
 *   EINVAL	a pad is not 0, mul is 0, shift is not in [-31, 31], the VM is in
 *		host mode, or this vCPU's TSC is below tsc_timestamp
 *   ERANGE	the slope's frequency is more than 1000 Hz from this vCPU's
 *   EFAULT	the argument
 */
#ifndef KVM_SET_CLOCK_GUEST
#define KVM_SET_CLOCK_GUEST	_IOW(0xAE, 0xd6, struct pvclock_vcpu_time_info)
#endif
#ifndef KVM_GET_CLOCK_GUEST
#define KVM_GET_CLOCK_GUEST	_IOR(0xAE, 0xd7, struct pvclock_vcpu_time_info)
#endif

/*
 * Device attributes of a vCPU, group KVM_VCPU_TSC_CTRL.  KVM_VCPU_TSC_SCALE is
 * read only: guest TSC = floor(host TSC * tsc_ratio / 2^tsc_frac_bits) + offset.
 *   has	0, or ENXIO without scaling hardware
 *   get	EFAULT, ENXIO
 *   set	EINVAL, or ENXIO without scaling hardware
 */
#ifndef KVM_VCPU_TSC_CTRL
#define KVM_VCPU_TSC_CTRL	0
#endif
#ifndef KVM_VCPU_TSC_OFFSET
#define KVM_VCPU_TSC_OFFSET	0
#endif
#ifndef KVM_VCPU_TSC_SCALE
#define KVM_VCPU_TSC_SCALE	1
struct kvm_vcpu_tsc_scale {
	__u64 tsc_ratio;
	__u64 tsc_frac_bits;
};
#endif

/*
 * KVM_CHECK_EXTENSION, on the system's and a VM's file descriptor: 0 if all of
 * this is absent, else a mask of KVM_CLOCK_LINE_*.
 */
#ifndef KVM_CAP_CLOCK_LINE
#define KVM_CAP_CLOCK_LINE	0x6b630001
#endif
#define KVM_CLOCK_LINE_IOCTLS	(1 << 0)	/* the two ioctls above */
#define KVM_CLOCK_LINE_SCALE	(1 << 1)	/* KVM_VCPU_TSC_SCALE */
#define KVM_CLOCK_LINE_EARLY	(1 << 2)	/* master mode from creation on */
#define KVM_CLOCK_LINE_EXACT	(1 << 3)	/* KVM_GET_CLOCK is the page's, to 0 ns */
#define KVM_CLOCK_LINE_FEATURES	(KVM_CLOCK_LINE_IOCTLS | KVM_CLOCK_LINE_SCALE | \
				 KVM_CLOCK_LINE_EARLY | KVM_CLOCK_LINE_EXACT)

#endif
