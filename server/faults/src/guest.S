# The guest of the fault matrix: one boot sector, no operating system.
#
# With every tick of the timer (18.2 a second) it counts, goes over a part of its memory, and reads and writes a block of its
# disk. It checks all that it reads: memory and disk have to hold what it wrote last. What it did is in low memory, at FACTS,
# for the monitor to read:
#
#   life     drawn at the start: another life is a guest that was started anew
#   ticks    grows while the guest runs
#   pass     how often it has gone over its disk, from 1
#   block    the block that is next
#   bad      0, or what it found wrong first: 1 memory, 2 disk contents, 3 a disk that can't be read or written
#
# It runs in real mode, to have the BIOS read and write the disk, and reaches its memory through a segment without limit ("unreal
# mode"), which it sets up again after each call of the BIOS.
#
# What is in a sector follows from its number and the pass it was written in (0: before the guest started); written.rs in
# server/demo has the same formula. guest.bin is this file assembled, as the test in boot_sector.rs there makes sure, with the commands
# that boot_sector.S there gives.

        .set    FIRST_PAGE, 0x100000
        .set    PAGE, 4096
        .set    FIRST, 64               # the first block's first sector
        .set    STRIDE, 1024            # sectors from one block to the next
        .set    END, 16 * STRIDE        # the disk's size in sectors
        .set    BLOCK, 8                # sectors of a block
        .set    SECTOR, 512
        .set    READ, 0x3000            # what was read
        .set    WANTED, 0x5000          # the expected or new contents
        .set    FACTS, 0x1000           # dwords: life, ticks, pass, block, bad
        .set    LIFE, FACTS
        .set    TICKS, FACTS + 4
        .set    PASS, FACTS + 8
        .set    LBA, FACTS + 12
        .set    BAD, FACTS + 16
        .set    BAD_MEMORY, 1
        .set    BAD_CONTENTS, 2
        .set    BAD_TRANSFER, 3

        .code16
        .globl  start
start:  xorw    %ax, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %ss
        movw    $start, %sp             # the stack grows down from this sector
        cld
        movb    %dl, drive              # the one it was booted from
        movw    $FACTS, %di
        movw    $16, %cx
        rep stosw
        incl    PASS
        movl    $FIRST, LBA

        call    flat                    # fill the memory with numbers that nothing compresses, but for the first of each page
        movl    $FIRST_PAGE, %edi
1:      imull   $1664525, %eax, %eax
        addl    $1013904223, %eax
        movl    %eax, %fs:(%edi)
        testl   $(PAGE - 1), %edi
        jnz     2f
        movl    $0, %fs:(%edi)
2:      addl    $4, %edi
        cmpl    memory_end, %edi
        jb      1b
        rdtsc
        orb     $1, %al
        movl    %eax, LIFE

tick:   sti
        hlt
        incl    TICKS

        call    flat                    # go over the next pages: each holds how often that was done
        movl    pages_per_tick, %ecx
        jecxz   disk
        movl    page, %edi
1:      movl    %fs:(%edi), %eax
        cmpl    cycle, %eax
        movb    $BAD_MEMORY, %bl
        jne     bad
        incl    %fs:(%edi)
        addl    $PAGE, %edi
        cmpl    working_set_end, %edi
        jb      2f
        incl    cycle
        movl    $FIRST_PAGE, %edi
2:      decl    %ecx
        jnz     1b
        movl    %edi, page

disk:   movl    PASS, %esi              # the next block: it has what the pass before wrote there
        decl    %esi
        call    fill
        movw    $READ, buffer
        movb    $0x42, %ah              # extended read
        call    transfer
        movw    $READ, %si
        movw    $WANTED, %di
        movw    $(BLOCK * SECTOR / 4), %cx
        repe    cmpsl
        movb    $BAD_CONTENTS, %bl
        jne     bad
        movl    PASS, %esi
        call    fill
        movw    $WANTED, buffer
        movw    $0x4300, %ax            # extended write
        call    transfer
        addl    $STRIDE, LBA
        cmpl    $END, LBA
        jb      tick
        movl    $FIRST, LBA
        incl    PASS
        jmp     tick

transfer:                               # read or write the block, as %ah says
        movl    LBA, %ebx
        movl    %ebx, block
        movb    drive, %dl
        movw    $packet, %si
        movw    $BLOCK, count           # the BIOS may change it
        int     $0x13
        movb    $BAD_TRANSFER, %bl
        jc      bad                     # does not return
        ret

bad:    movb    %bl, BAD
        cli
        hlt

fill:                                   # put into WANTED what pass %esi writes into the block
        imull   $0x85ebca6b, %esi, %esi
        movl    LBA, %ebx
        movw    $WANTED, %di
1:      imull   $0x9e3779b1, %ebx, %eax
        addl    %esi, %eax
        movw    $(SECTOR / 4), %cx
2:      imull   $1664525, %eax, %eax
        addl    $1013904223, %eax
        stosl
        loop    2b
        incl    %ebx
        cmpw    $(WANTED + BLOCK * SECTOR), %di
        jb      1b
        ret

flat:                                   # %fs reaches all memory from now on; interrupts are off
        cli
        lgdtl   segment_table
        movl    %cr0, %eax
        orb     $1, %al                 # protected mode
        movl    %eax, %cr0
        jmp     1f
1:      movw    $8, %bx
        movw    %bx, %fs
        andb    $0xfe, %al
        movl    %eax, %cr0
        jmp     1f
1:      xorw    %bx, %bx
        movw    %bx, %fs                # its base is 0 again, its limit stays
        ret

        .balign 8
segment_table:                          # the first descriptor is never used, so it holds the pointer to the table
        .word   2 * 8 - 1
        .long   segment_table
        .word   0
        .quad   0x00cf92000000ffff      # data: all 4 GiB

cycle:  .long   0
page:   .long   FIRST_PAGE
packet: .word   16                      # of the BIOS' extended read and write: its own size in bytes
count:  .word   BLOCK
buffer: .word   0, 0                    # offset, segment
block:  .quad   0                       # the first of the sectors
drive:  .byte   0

        .org    0x1e0                   # the parameter block: guest/disk.rs knows these offsets
memory_end:
        .long   FIRST_PAGE + PAGE
working_set_end:
        .long   FIRST_PAGE + PAGE
pages_per_tick:
        .long   0

        .org    0x1fe
        .word   0xaa55                  # a BIOS boots only what ends so
