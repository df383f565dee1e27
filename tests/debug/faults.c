// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * One fault after another when it is loaded, for tests/debug/run: what the
 * debug kernel is for.  The lock order first: lockdep ends with its own report
 * or KASAN's.
 */
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/vmalloc.h>

#define SIZE 24

static DEFINE_MUTEX(one);
static DEFINE_MUTEX(other);
static DEFINE_SPINLOCK(spin);
static volatile unsigned int bits = 64, past_end = SIZE;

static void lock_both(struct mutex *outer, struct mutex *inner)
{
	mutex_lock(outer);
	mutex_lock(inner);
	mutex_unlock(inner);
	mutex_unlock(outer);
}

static void sleep_under_spinlock(void)
{
	spin_lock(&spin);
	mutex_lock(&one);
	mutex_unlock(&one);
	spin_unlock(&spin);
}

static void nothing(struct timer_list *timer)
{
}

static void free_running_timer(void)
{
	struct timer_list *timer = kmalloc(sizeof(*timer), GFP_KERNEL);

	if (!timer)
		return;
	timer_setup(timer, nothing, 0);
	mod_timer(timer, jiffies + 1000 * HZ);
	kfree(timer);
}

static char read_past_end(const volatile char *bytes)
{
	return bytes ? bytes[past_end] : 0;
}

static int __init faults_init(void)
{
	const char *slab = kzalloc(SIZE, GFP_KERNEL), *area = vzalloc(SIZE);

	lock_both(&one, &other);
	lock_both(&other, &one);
	sleep_under_spinlock();
	pr_info("CPU %d\n", smp_processor_id());
	pr_info("%llu\n", 1ULL << bits);
	free_running_timer();
	pr_info("%d %d\n", read_past_end(slab), read_past_end(area));
	kfree(slab);
	vfree(area);
	return 0;
}
module_init(faults_init);

MODULE_DESCRIPTION("Faults that a debug kernel is to report");
MODULE_LICENSE("Dual MIT/GPL");
