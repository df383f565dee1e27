# SPDX-License-Identifier: GPL-2.0-only OR MIT
# doc/format.md's tables as lines "SECTION OFFSET SIZE FIELD" and "refused CODE WHAT".
BEGIN { FS = " *[|] *" }
/^## / { section = $0; sub(/.* /, "", section) }
/^[|] [0-9]+ [|]/ { gsub(/`/, "", $4); print section, $2, $3, $4 }
section == "refused" && $3 ~ /^`KVMCLOCK_E_/ { gsub(/`/, "", $3); print "refused", $3, $2 }
