# SPDX-License-Identifier: LGPL-2.1-or-later

MANPAGES += $(wildcard */man/*.[1-8])
