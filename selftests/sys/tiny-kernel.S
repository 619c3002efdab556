/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A kernel as a boot loader sees it, of one page, for tests of what loads it: it prints its command line and the
 * initial RAM disk, a text, on the serial port that the loader has set up, says so, and powers the machine off.
 * The fields are those of the kernel's Documentation/x86/boot.rst.
 */
#define LOADED_AT	0x100000
#define INITRD_AT	0x218	/* in what the loader hands over */
#define INITRD_SIZE	0x21c
#define CMDLINE_AT	0x228
#define COM1		0x3f8
#define PM_CONTROL	0x604	/* where QEMU's firmware puts it */
#define POWER_OFF	0x2000

	.text
	.code32
image:
	.org 0x1f1
	.byte 1				/* sectors of what follows, in real mode */
	.word 0
	.long (end - kernel) / 16
	.word 0, 0, 0
	.word 0xaa55
	.byte 0xeb, 0x66		/* over the header */
	.ascii "HdrS"
	.word 0x20a			/* version */
	.long 0
	.word 0, 0
	.byte 0, 1			/* loaded high */
	.word 0
	.long LOADED_AT
	.org 0x22c
	.long 0x7fffffff		/* how far up the initial RAM disk may be */
	.long 0x1000			/* alignment; not to be moved */
	.byte 0, 12
	.word 0
	.long 0x7ff			/* command line */
	.org 0x258
	.quad LOADED_AT
	.long end - kernel		/* memory */

	.org 0x400
kernel:
	mov %esi, %ebp
	mov $(LOADED_AT + loaded - kernel), %esi
	call print
	mov CMDLINE_AT(%ebp), %esi
	call print
	mov $(LOADED_AT + newline - kernel), %esi
	call print
	mov INITRD_AT(%ebp), %esi
	mov INITRD_SIZE(%ebp), %ecx
1:	jecxz 2f
	lodsb
	call put
	dec %ecx
	jmp 1b
2:	mov $PM_CONTROL, %dx
	mov $POWER_OFF, %ax
	out %ax, %dx
3:	hlt
	jmp 3b

print:	lodsb
	test %al, %al
	jz 2f
	call put
	jmp print
2:	ret

put:	mov %al, %ah
	mov $(COM1 + 5), %dx
1:	in %dx, %al
	test $0x20, %al			/* room for another one */
	jz 1b
	mov %ah, %al
	mov $COM1, %dx
	out %al, %dx
	ret

loaded:	.asciz "tiny kernel: "
newline: .asciz "\r\n"
	.balign 4096
end:
