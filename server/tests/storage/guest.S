# A guest that checks its own disk: one boot sector, no operating system.
#
# The disk has a block of sectors at the same place of every MiB. Again and again the guest reads all blocks and compares them,
# byte by byte, with what was last written there; the blocks of even MiBs it then writes anew. After each pass it says
# "pass 7 ok" on the serial console; at the first byte that differs, or that can't be read or written, it says
# "BAD sector 4160" and stops.
#
# So every pass proves two things about the disk, wherever that was copied meanwhile: it has what the guest wrote in the pass
# before, and it still has what was on it before the guest started (the blocks of odd MiBs).
#
# What is in a sector follows from its number and the pass it was written in (0: before the guest started), so that the guest
# needs to remember nothing else; written.rs in server/demo/src has the same formula. guest.bin is this file assembled, as the test in
# server/demo/src/boot_sector.rs makes sure, with the commands that boot_sector.S beside it gives.

        .set    FIRST, 64               # the first block's first sector
        .set    STRIDE, 2048            # sectors from one block to the next: a MiB
        .set    END, 64 * STRIDE        # the disk's size in sectors
        .set    BLOCK, 64               # sectors of a block, 32 KiB
        .set    SECTOR, 512
        .set    READ, 0x8000            # what was read: BLOCK sectors, up to the end of the first segment
        .set    WANTED, 0x1000          # the segment with the expected or new contents: BLOCK sectors
        .set    COM1, 0x3f8
        .set    COM1_STATUS, 0x3fd

        .code16
        .globl  start
start:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %ss
        movw    $start, %sp             # the stack grows down from this sector
        movb    %dl, drive              # the one it was booted from
        movw    $WANTED, %ax
        movw    %ax, %es
        cld

next_pass:
        movl    $FIRST, block
next_block:
        movl    pass, %esi
        decl    %esi
        testw   $STRIDE, block
        jz      1f
        xorl    %esi, %esi              # an odd MiB: written before pass 1
        sti                             # two blocks with every timer tick (18.2 a second), to leave the processor alone
        hlt
1:      call    fill
        movl    $READ, buffer
        movb    $0x42, %ah              # extended read
        call    transfer
        movw    $READ, %si
        xorw    %di, %di
        movw    $(BLOCK * SECTOR / 4), %cx
        repe    cmpsl
        jne     differs
        testw   $STRIDE, block
        jnz     2f
        movl    pass, %esi
        call    fill
        movl    $(WANTED << 16), buffer
        movw    $0x4300, %ax            # extended write
        call    transfer
2:      addl    $STRIDE, block
        cmpl    $END, block
        jb      next_block
        movw    $pass_text, %si
        movl    pass, %eax
        call    say
        movw    $ok_text, %si
        call    text
        incl    pass
        jmp     next_pass

fill:                                   # put into WANTED what pass %esi writes into the block
        imull   $0x85ebca6b, %esi, %esi
        movl    block, %ebx
        xorw    %di, %di
1:      imull   $0x9e3779b1, %ebx, %eax
        addl    %esi, %eax
        movw    $(SECTOR / 4), %cx
2:      imull   $1664525, %eax, %eax
        addl    $1013904223, %eax
        stosl
        loop    2b
        incl    %ebx
        cmpw    $(BLOCK * SECTOR), %di
        jb      1b
        ret

transfer:                               # read or write the block, as %ah says
        movb    drive, %dl
        movw    $packet, %si
        movw    $BLOCK, count           # the BIOS may change it
        int     $0x13
        jc      bad                     # does not return; reports the block's first sector
        ret

differs:                                # %si points behind the bytes that differ
        leaw    -READ - 4(%si), %ax
        movzwl  %ax, %eax
        shrl    $9, %eax
        addl    %eax, block
bad:    movw    $bad_text, %si
        movl    block, %eax
        call    say
        movw    $end_text, %si
        call    text
        cli
        hlt

say:                                    # the text at %si, then the number %eax
        pushl   %eax
        call    text
        popl    %eax
number: xorl    %edx, %edx
        divl    ten
        pushw   %dx
        testl   %eax, %eax
        jz      1f
        call    number
1:      popw    %ax
        addb    $'0', %al
        jmp     console

text:                                   # the text at %si
        lodsb
        testb   %al, %al
        jz      1f
        call    console
        jmp     text
1:      ret

console:                                # send %al on the serial console; changes %dx
        pushw   %ax
        movw    $COM1_STATUS, %dx
1:      inb     %dx, %al
        testb   $0x20, %al              # ready to send
        jz      1b
        popw    %ax
        movw    $COM1, %dx
        outb    %al, %dx
        ret

pass_text:
        .asciz  "pass "
ok_text:
        .ascii  " ok"
end_text:
        .asciz  "\r\n"
bad_text:
        .asciz  "BAD sector "

        .balign 4
ten:    .long   10
pass:   .long   1
packet: .word   16                      # of the BIOS' extended read and write: its own size in bytes
count:  .word   BLOCK
buffer: .long   0                       # offset, then segment
block:  .quad   FIRST                   # the first of the sectors
drive:  .byte   0

        .org    0x1fe
        .word   0xaa55                  # a BIOS boots only what ends so
