# What runs in each of the demo's VMs: one boot sector, no operating system.
#
# It fills its memory with data that is not zero, writes a line on the screen and on the serial console, and from then on
# sleeps (hlt) from one timer tick to the next. With every tick it changes a number of memory pages, and it looks whether
# the power button was pressed, and whether something was typed on the serial console: it echoes that, and answers Enter
# with its line. What differs between the VMs is in the parameter block, which boot_sector.rs fills in.
#
# SeaBIOS enters here with the timer running at its usual 18.2 ticks a second. We go to 32-bit mode at once, to reach all
# memory, and never call the BIOS again. boot_sector.bin is this file assembled, as the test in boot_sector.rs makes sure:
#
#   as --32 -o boot_sector.o boot_sector.S
#   ld -m elf_i386 -Ttext=0x7c00 -e start -o boot_sector.elf boot_sector.o
#   objcopy -O binary -j .text boot_sector.elf boot_sector.bin

        .set    FIRST_PAGE, 0x100000    # below 1 MiB are the BIOS, the screen and this sector
        .set    PAGE, 4096
        .set    SCREEN, 0xb8000         # 80 x 25 pairs of character and colour
        .set    HEARTBEAT, SCREEN + 160 # first character of the second line
        .set    COM1_LOW, 0xf8          # the low bytes of COM1's ports, where %dx holds another of them
        .set    FIFO_LOW, 0xfa
        .set    STATUS_LOW, 0xfd
        .set    COM1_STATUS, 0x3fd
        .set    PM1_STATUS, 0x600       # ACPI registers where SeaBIOS puts them on QEMU's "pc" machine
        .set    PM1_ENABLE, 0x602
        .set    PM1_CONTROL_LOW, 0x04
        .set    POWER_BUTTON, 0x100     # in status and enable
        .set    SLEEP_SOFT_OFF, 0x2000  # in control
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

        movl    $FIRST_PAGE, %edi       # fill with pseudo-random numbers, so that nothing compresses them away
1:      imull   $1664525, %eax, %eax
        addl    $1013904223, %eax
        movl    %eax, (%edi)
        addl    $4, %edi
        cmpl    memory_end, %edi
        jb      1b

        movl    $SCREEN, %edi           # clear the screen
        movl    $0x07200720, %eax
        movl    $(80 * 25 / 2), %ecx
        rep stosl

        movl    $SCREEN, %edi
        call    say
        movb    $FIFO_LOW, %dl          # %dx is COM1: receive up to 16 bytes between two ticks
        movb    $1, %al
        outb    %al, %dx

        movw    $PM1_ENABLE, %dx        # without this QEMU does not show us the button
        movw    $POWER_BUTTON, %ax
        outw    %ax, %dx
        movl    $FIRST_PAGE, %edi
        sti

tick:   hlt
        incb    HEARTBEAT
        movw    $PM1_STATUS, %dx
        inw     %dx, %ax
        testw   $POWER_BUTTON, %ax
        jnz     power_off
        movw    $COM1_STATUS, %dx
3:      inb     %dx, %al
        testb   $1, %al                 # something was typed
        jz      5f
        movb    $COM1_LOW, %dl
        inb     %dx, %al
        call    console
        cmpb    $'\r', %al
        jne     4f
        pushl   %edi
        movl    $SCREEN, %edi
        call    say
        popl    %edi
4:      movb    $STATUS_LOW, %dl
        jmp     3b
5:      movl    pages_per_tick, %ecx
        jecxz   tick
1:      incl    (%edi)
        addl    $PAGE, %edi
        cmpl    working_set_end, %edi
        jb      2f
        movl    $FIRST_PAGE, %edi
2:      loop    1b
        jmp     tick

power_off:
        movb    $PM1_CONTROL_LOW, %dl   # %dx is PM1_STATUS
        movw    $SLEEP_SOFT_OFF, %ax
        outw    %ax, %dx
        jmp     tick

say:                                    # a new line with the text on the serial console, and the text at %edi; changes %eax, %esi
        movb    $'\r', %al
        call    console
        movb    $'\n', %al
        call    console
        movl    $text, %esi
1:      lodsb
        testb   %al, %al
        jz      2f
        movb    $0x07, %ah
        stosw
        call    console
        jmp     1b
2:      ret

console:                                # send %al on the serial console; leaves COM1 in %dx
        pushl   %eax
        movw    $COM1_STATUS, %dx
1:      inb     %dx, %al
        testb   $0x20, %al              # ready to send
        jz      1b
        popl    %eax
        movb    $COM1_LOW, %dl
        outb    %al, %dx
        ret

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

        .org    0x180                   # the parameter block: boot_sector.rs knows these offsets
memory_end:
        .long   FIRST_PAGE + PAGE
working_set_end:
        .long   FIRST_PAGE + PAGE
pages_per_tick:
        .long   0
text:   .fill   0x1fe - 0x18c, 1, 0     # ends with a zero byte

        .org    0x1fe
        .word   0xaa55                  # a BIOS boots only what ends so
