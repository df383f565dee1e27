/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The page's skeleton and its style, as they are in the files beside this one. */
	.section .rodata
	.global report_page_html, report_page_html_end
report_page_html:
	.incbin "page.html"
report_page_html_end:
	.global report_style_css, report_style_css_end
report_style_css:
	.incbin "style.css"
report_style_css_end:
	/* The digest by which the page allows that style and no other. */
	.global report_style_hash, report_style_hash_end
report_style_hash:
	.incbin "style.sha256"
report_style_hash_end:
	.section .note.GNU-stack, "", @progbits
