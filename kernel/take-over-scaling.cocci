// SPDX-License-Identifier: GPL-2.0-only
//
// K6: a ratio is of one rate to another; where the host's TSC has no constant
// rate, hardware that scales it is not used, nor offered to nested guests.
// Applied to vmx.c and svm.c together; a missed match stops.

@initialize:python@
@@
done = set()

@vmx@
expression conf, E;
@@
  conf->cpu_based_2nd_exec_ctrl = E;
+ if (!boot_cpu_has(X86_FEATURE_CONSTANT_TSC))
+	conf->cpu_based_2nd_exec_ctrl &= ~SECONDARY_EXEC_TSC_SCALING;

@script:python@
conf << vmx.conf;
@@
done.add("vmx")

@svm@
@@
- if (!boot_cpu_has(X86_FEATURE_TSCRATEMSR))
+ if (!boot_cpu_has(X86_FEATURE_TSCRATEMSR) || !boot_cpu_has(X86_FEATURE_CONSTANT_TSC))
  {
	tsc_scaling = false;
  } else { ... }

@script:python depends on svm@
@@
done.add("svm")

@finalize:python@
@@
import sys
missed = sorted({"vmx", "svm"} - done)
if missed:
    sys.stderr.write("no match: " + " ".join(missed) + "\n")
    sys.exit(1)
