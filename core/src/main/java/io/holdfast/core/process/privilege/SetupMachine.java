package io.holdfast.core.process.privilege;

import io.holdfast.core.sys.Machine;

/**
 * The instructions of a {@link SetupProgram} on one processor, and the numbers of the system calls
 * there. Both versions do the same: they make each call of the table until one has no number, which
 * stands for execve(2) with the arguments and the environment that the program itself was given.
 */
enum SetupMachine {
    // hexadecimal bytes, then the assembly that they were assembled from; the last 8 bytes are the
    // address of the table
    X86_64(
            62,
            """
            4889e5          mov rbp, rsp                ; argc, then argv, then envp
            488b1d56000000  mov rbx, [rip + table]
            488b03          next: mov rax, [rbx]        ; number of the call
            4885c0          test rax, rax
            7821            js execute
            488b7b10        mov rdi, [rbx + 16]         ; its arguments
            488b7318        mov rsi, [rbx + 24]
            488b5320        mov rdx, [rbx + 32]
            4c8b5328        mov r10, [rbx + 40]
            4c8b4330        mov r8, [rbx + 48]
            0f05            syscall
            4885c0          test rax, rax
            781e            js failed
            4883c338        advance: add rbx, 56
            ebd7            jmp next
            488b7b10        execute: mov rdi, [rbx + 16]
            488d7508        lea rsi, [rbp + 8]          ; argv
            488b4500        mov rax, [rbp]
            488d54c510      lea rdx, [rbp + 8*rax + 16] ; envp
            b83b000000      mov eax, 59                 ; execve
            0f05            syscall
            488b7b08        failed: mov rdi, [rbx + 8]  ; exit status, or that it may fail
            4885ff          test rdi, rdi
            78d9            js advance
            b8e7000000      mov eax, 231                ; exit_group
            0f05            syscall
            f4              hlt                         ; if a filter refuses the exit
            90909090        nop
            """),
    AARCH64(
            183,
            """
            f4030091  mov x20, sp                  ; argc, then argv, then envp
            f3020058  ldr x19, table
            680240f9  next: ldr x8, [x19]          ; number of the call
            0801f8b7  tbnz x8, #63, execute
            600641a9  ldp x0, x1, [x19, #16]       ; its arguments
            620e42a9  ldp x2, x3, [x19, #32]
            641a40f9  ldr x4, [x19, #48]
            010000d4  svc #0
            4001f8b7  tbnz x0, #63, failed
            73e20091  advance: add x19, x19, #56
            f8ffff17  b next
            600a40f9  execute: ldr x0, [x19, #16]
            81220091  add x1, x20, #8              ; argv
            820240f9  ldr x2, [x20]
            220c028b  add x2, x1, x2, lsl #3
            42200091  add x2, x2, #8               ; envp
            a81b80d2  mov x8, #221                 ; execve
            010000d4  svc #0
            600640f9  failed: ldr x0, [x19, #8]    ; exit status, or that it may fail
            c0feffb7  tbnz x0, #63, advance
            c80b80d2  mov x8, #94                  ; exit_group
            010000d4  svc #0
            000020d4  brk #0                       ; if a filter refuses the exit
            1f2003d5  nop
            """);

    private final short elf;
    private final byte[] code;

    /**
     * @param elf the number in the header of a program ({@code linux/elf-em.h})
     */
    SetupMachine(int elf, String listing) {
        this.elf = (short) elf;
        this.code = ElfImage.code(listing);
    }

    /** Returns the processor of this machine. */
    static SetupMachine local() {
        return Machine.ARM ? AARCH64 : X86_64;
    }

    short elf() {
        return elf;
    }

    /** Returns the instructions, behind which the address of the table follows. */
    byte[] code() {
        return code.clone();
    }

    int number(SetupProgram.Call call) {
        return this == AARCH64 ? call.aarch64 : call.x86;
    }
}
