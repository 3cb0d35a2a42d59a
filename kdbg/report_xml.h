/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef KDBG_REPORT_XML_H
#define KDBG_REPORT_XML_H

#include <stdio.h>

/* text as XML 1.0 has it, in an element or between double quotes. What XML
 * cannot hold at all (control characters, bytes that are not UTF-8, U+FFFE)
 * becomes U+FFFD. */
void report_xml_text(FILE *out, const char *text);

/* <name>text</name> */
void report_xml_element(FILE *out, const char *name, const char *text);

#endif
