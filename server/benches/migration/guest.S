# The guest of the bench: one boot sector, no operating system.
#
# It fills its memory with data that does not compress, and from then on sleeps (hlt) from one timer tick to the next, 100 times a second.
# With every tick it sends a heartbeat on its serial console, the digit of the phase it is in, and changes a number of memory pages. How
# many, and up to which address, its phases say, one after the other and again from the first (guest.rs fills in the table).
#
# guest.bin is this file assembled, as the test in boot_sector.rs of server/demo makes sure, with the commands that boot_sector.S there gives.

        .set    FIRST_PAGE, 0x100000    # below 1 MiB are the BIOS and this sector
        .set    PAGE, 4096
        .set    COM1, 0x3f8
        .set    DIVISOR, 11932          # of the timer's 1193182 Hz: 100 ticks a second
        .set    CODE, 0x08              # segments in the table below
        .set    DATA, 0x10

        .code16
        .globl  start
start:  cli
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   segment_table
        lidtl   interrupt_table
        movl    %cr0, %eax
        orb     $1, %al                 # protected mode
        movl    %eax, %cr0
        ljmpl   $CODE, $protected

        .code32
protected:
        movw    $DATA, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movl    $start, %esp            # the stack grows down from this sector
        movb    $0xfe, %al              # interrupt controllers: only the timer
        outb    %al, $0x21
        movb    $0xff, %al
        outb    %al, $0xa1
        movb    $0x34, %al              # the timer's first channel, as a rate generator
        outb    %al, $0x43
        movb    $(DIVISOR & 0xff), %al
        outb    %al, $0x40
        movb    $(DIVISOR >> 8), %al
        outb    %al, $0x40

        movl    $FIRST_PAGE, %edi       # fill with pseudo-random numbers, so that nothing compresses them away
1:      imull   $1664525, %eax, %eax
        addl    $1013904223, %eax
        movl    %eax, (%edi)
        addl    $4, %edi
        cmpl    memory_end, %edi
        jb      1b

        movl    $FIRST_PAGE, %edi       # the page that is next
        movl    $phases, %esi
        movb    $'0', %bl               # the phase's digit
        movl    (%esi), %ebp            # ticks that are left of it
        sti

tick:   hlt
        movw    $COM1, %dx
        movb    %bl, %al
        outb    %al, %dx
        decl    %ebp
        jnz     2f
        addl    $12, %esi               # the next phase
        incb    %bl
        cmpl    $0, (%esi)
        jne     1f
        movl    $phases, %esi
        movb    $'0', %bl
1:      movl    (%esi), %ebp
2:      movl    8(%esi), %ecx
        jecxz   tick
1:      cmpl    4(%esi), %edi
        jb      2f
        movl    $FIRST_PAGE, %edi
2:      incl    (%edi)
        addl    $PAGE, %edi
        loop    1b
        jmp     tick

interrupt:                              # nothing to do but to wake from hlt
        pushl   %eax
        movb    $0x20, %al              # end of interrupt
        outb    %al, $0x20
        popl    %eax
        iretl

segment_table:                          # the first descriptor is never used, so it holds the pointer to the table
        .word   3 * 8 - 1
        .long   segment_table
        .word   0
        .quad   0x00cf9a000000ffff      # code: all 4 GiB, 32 bits
        .quad   0x00cf92000000ffff      # data: the same

interrupt_table:
        .word   16 * 8 - 1
        .long   gates - 8 * 8           # vectors 0 to 7 are exceptions and do not happen here
gates:  .rept   8                       # vectors 8 to 15: the first interrupt controller as the BIOS left it
        .word   interrupt - start + 0x7c00
        .word   CODE
        .word   0x8e00                  # present, 32-bit interrupt gate
        .word   0
        .endr

        .org    0x1b0                   # the parameters: guest.rs knows these offsets
memory_end:
        .long   FIRST_PAGE + PAGE
phases: .fill   18, 4, 0                # ticks, end of the working set, pages a tick; a phase of 0 ticks is none

        .org    0x1fe
        .word   0xaa55                  # a BIOS boots only what ends so
