/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * KVM's clock as a line over the guest's TSC: the user interface.
 *
 * The line is (tsc_timestamp, system_time, tsc_to_system_mul, tsc_shift).  At
 * the guest TSC t it reads, in ns and modulo 2^64,
 *
 *	system_time + floor(S(t - tsc_timestamp) * tsc_to_system_mul / 2^32)
 *
 * where S shifts left by tsc_shift, or right by -tsc_shift with bits lost.
 * A vCPU's TSC at the host TSC h is floor(h * tsc_ratio / 2^tsc_frac_bits) plus
 * the vCPU's TSC offset, modulo 2^64.  All of it is L1's, whatever a nested
 * guest is doing.
 *
 * Names that <linux/kvm.h> has already are left as they are there.
 */
#ifndef KVM_CLOCK_H
#define KVM_CLOCK_H

#include <linux/types.h>
#include <linux/ioctl.h>
#include <linux/kvm.h>

/*
 * The guest's page, 32 bytes.  No header for user space had it so far; where
 * one has, it is used.  Whoever brings a definition of the same layout defines
 * KVM_CLOCK_HAVE_PVCLOCK_STRUCT before this header.
 */
#if !defined(KVM_CLOCK_HAVE_PVCLOCK_STRUCT) && defined(__has_include)
#if __has_include(<asm/pvclock-abi.h>)
#include <asm/pvclock-abi.h>
#define KVM_CLOCK_HAVE_PVCLOCK_STRUCT
#endif
#endif
#if !defined(KVM_CLOCK_HAVE_PVCLOCK_STRUCT) && !defined(KVM_SET_CLOCK_GUEST) && \
	!defined(_ASM_X86_PVCLOCK_ABI_H)
struct pvclock_vcpu_time_info {
	__u32 version;			/* odd while it is being written */
	__u32 pad0;
	__u64 tsc_timestamp;		/* guest TSC ticks */
	__u64 system_time;		/* ns */
	__u32 tsc_to_system_mul;
	__s8 tsc_shift;
	__u8 flags;			/* PVCLOCK_* below */
	__u8 pad[2];
} __attribute__((__packed__));
#define KVM_CLOCK_HAVE_PVCLOCK_STRUCT
#endif

#ifndef PVCLOCK_TSC_STABLE_BIT
#define PVCLOCK_TSC_STABLE_BIT	(1 << 0)	/* needs no guard against steps back */
#endif
#ifndef PVCLOCK_GUEST_STOPPED
#define PVCLOCK_GUEST_STOPPED	(1 << 1)	/* the monitor had the guest stopped */
#endif

/*
 * Sets the line of the whole VM, given over this vCPU's TSC.  vCPU ioctl.
 * version and flags are ignored.  Everything is checked before any change.
 * Set the TSC frequency first, then the TSC offset, then the line.
 *
 * EFAULT	the argument cannot be read
 * EINVAL	pad0 or pad is not 0; tsc_to_system_mul is 0; tsc_shift is outside
 *		[-31, 31]; this vCPU's TSC is now below tsc_timestamp; or the
 *		VM's clock is not a line now
 * ERANGE	the slope's frequency is more than 1000 Hz from this vCPU's
 * ENOTTY	the kernel does not have it
 */
#ifndef KVM_SET_CLOCK_GUEST
#define KVM_SET_CLOCK_GUEST	_IOW(KVMIO, 0xd6, struct pvclock_vcpu_time_info)
#endif

/*
 * Returns the line as this vCPU's page has it, or would have it if the guest
 * has set none: version and pads 0, flags at most PVCLOCK_TSC_STABLE_BIT.  It
 * is current: after a change of frequency or offset no run is needed.  What it
 * returns can be set, on this VM or another of the same TSC, and is then
 * returned again bit for bit.  vCPU ioctl.
 *
 * EFAULT	the argument cannot be written
 * EINVAL	the VM's clock is not a line now
 * ENOTTY	the kernel does not have it
 */
#ifndef KVM_GET_CLOCK_GUEST
#define KVM_GET_CLOCK_GUEST	_IOR(KVMIO, 0xd7, struct pvclock_vcpu_time_info)
#endif

#ifndef KVM_VCPU_TSC_CTRL
#define KVM_VCPU_TSC_CTRL	0		/* attribute group of a vCPU */
#endif
#ifndef KVM_VCPU_TSC_OFFSET
#define KVM_VCPU_TSC_OFFSET	0		/* __u64, guest ticks */
#endif

/*
 * The hardware's scaling of this vCPU's TSC; read only.
 *
 * KVM_HAS_DEVICE_ATTR	0; ENXIO without scaling hardware, or in a kernel that
 *			does not have it
 * KVM_GET_DEVICE_ATTR	0; EFAULT; ENXIO as above
 * KVM_SET_DEVICE_ATTR	EINVAL; ENXIO as above
 */
#ifndef KVM_VCPU_TSC_SCALE
#define KVM_VCPU_TSC_SCALE	1
struct kvm_vcpu_tsc_scale {
	__u64 tsc_ratio;	/* guest ticks for 2^tsc_frac_bits host ticks */
	__u64 tsc_frac_bits;	/* 48 on VMX, 32 on SVM */
};
#endif

/*
 * KVM_CHECK_EXTENSION on the VM or the system: 0 if all this is absent, else a
 * mask of KVM_CLOCK_LINE_*.  The number is outside the range that KVM assigns.
 */
#ifndef KVM_CAP_CLOCK_LINE
#define KVM_CAP_CLOCK_LINE	0x6b630001
#endif
#ifndef KVM_CLOCK_LINE_IOCTLS
#define KVM_CLOCK_LINE_IOCTLS	(1 << 0)	/* the two ioctls above */
#define KVM_CLOCK_LINE_SCALE	(1 << 1)	/* KVM_VCPU_TSC_SCALE */
#define KVM_CLOCK_LINE_FROM_START (1 << 2)	/* a line from VM creation on */
/* KVM_GET_CLOCK reads the line; a page is written only when it changes. */
#define KVM_CLOCK_LINE_EXACT	(1 << 3)
#endif

#endif /* KVM_CLOCK_H */
