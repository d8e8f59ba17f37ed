package io.holdfast.core.process.privilege;

import io.holdfast.core.sys.Machine;

/**
 * The instructions of a {@link CallProgram} on one processor. Both versions do the same: they have
 * libc start them, and make the calls of the table for ever. The words at the beginning of the data
 * are the function that starts them, the arguments of the program, and the first step.
 */
enum CallMachine {
    // hexadecimal bytes, then the assembly that they were assembled from
    X86_64(
            62,
            1, // R_X86_64_64
            "/lib64/ld-linux-x86-64.so.2",
            35,
            """
            31ed              xor ebp, ebp                    ; the end of the call chain
            4989d1            mov r9, rdx                     ; the exit handler of the loader
            5e                pop rsi                         ; argc
            4889e2            mov rdx, rsp                    ; argv
            4883e4f0          and rsp, -16
            50                push rax
            54                push rsp                        ; the end of the stack
            4531c0            xor r8d, r8d
            31c9              xor ecx, ecx
            488d3d0e000000    lea rdi, [rip + main]
            ff142500006000    call [0x600000]                 ; __libc_start_main
            f4                hlt
            b813000000        refuse: mov eax, 19             ; PAM_CONV_ERR
            c3                ret
            53                main: push rbx                  ; aligns the stack
            4889342508006000  mov [0x600000 + 8], rsi         ; argv
            488b1c2510006000  mov rbx, [0x600000 + 16]        ; the first step
            488b4328          next: mov rax, [rbx + 40]       ; the addresses of the arguments
            488b38            mov rdi, [rax]
            488b4330          mov rax, [rbx + 48]
            488b30            mov rsi, [rax]
            488b4338          mov rax, [rbx + 56]
            488b10            mov rdx, [rax]
            488b4340          mov rax, [rbx + 64]
            488b08            mov rcx, [rax]
            488b4348          mov rax, [rbx + 72]
            4c8b00            mov r8, [rax]
            ff13              call [rbx]
            488b4b08          mov rcx, [rbx + 8]              ; where the result goes
            488901            mov [rcx], rax
            85c0              test eax, eax
            488b5310          mov rdx, [rbx + 16]             ; the step after a result of 0
            480f4f5318        cmovg rdx, [rbx + 24]           ; after a positive one
            480f485320        cmovs rdx, [rbx + 32]           ; after a negative one
            4889d3            mov rbx, rdx
            ebbf              jmp next
            """),
    AARCH64(
            183,
            257, // R_AARCH64_ABS64
            "/lib/ld-linux-aarch64.so.1",
            52,
            """
            1d0080d2  mov x29, #0                     ; the end of the call chain
            1e0080d2  mov x30, #0
            e50300aa  mov x5, x0                      ; the exit handler of the loader
            e10340f9  ldr x1, [sp]                    ; argc
            e2230091  add x2, sp, #8                  ; argv
            e6030091  mov x6, sp                      ; the end of the stack
            20010010  adr x0, main
            030080d2  mov x3, #0
            040080d2  mov x4, #0
            100ca0d2  movz x16, #0x60, lsl #16        ; DATA
            100240f9  ldr x16, [x16]                  ; __libc_start_main
            00023fd6  blr x16
            000020d4  brk #0
            60028052  refuse: mov w0, #19             ; PAM_CONV_ERR
            c0035fd6  ret
            130ca0d2  main: movz x19, #0x60, lsl #16  ; DATA
            610600f9  str x1, [x19, #8]               ; argv
            730a40f9  ldr x19, [x19, #16]             ; the first step
            69aa42a9  next: ldp x9, x10, [x19, #40]   ; the addresses of the arguments
            6bb243a9  ldp x11, x12, [x19, #56]
            6d2640f9  ldr x13, [x19, #72]
            200140f9  ldr x0, [x9]
            410140f9  ldr x1, [x10]
            620140f9  ldr x2, [x11]
            830140f9  ldr x3, [x12]
            a40140f9  ldr x4, [x13]
            700240f9  ldr x16, [x19]
            00023fd6  blr x16
            690640f9  ldr x9, [x19, #8]               ; where the result goes
            200100f9  str x0, [x9]
            692a41a9  ldp x9, x10, [x19, #16]         ; the steps after a result of 0, and a positive one
            6b1240f9  ldr x11, [x19, #32]             ; the step after a negative one
            1f000071  cmp w0, #0
            33018a9a  csel x19, x9, x10, eq
            73b1939a  csel x19, x11, x19, lt
            efffff17  b next
            """);

    private final short elf;
    private final int relocation;
    private final String loader;
    private final int refusing;
    private final byte[] code;

    /**
     * @param elf the number in the header of a program ({@code linux/elf-em.h})
     * @param relocation the type of a relocation that is the address of a symbol
     * @param loader the path of the dynamic loader, which the ABI of the processor sets
     * @param refusing the offset of a function that refuses each conversation of PAM
     */
    CallMachine(int elf, int relocation, String loader, int refusing, String listing) {
        this.elf = (short) elf;
        this.relocation = relocation;
        this.loader = loader;
        this.refusing = refusing;
        this.code = ElfImage.code(listing);
    }

    /** Returns the processor of this machine. */
    static CallMachine local() {
        return Machine.ARM ? AARCH64 : X86_64;
    }

    short elf() {
        return elf;
    }

    int relocation() {
        return relocation;
    }

    String loader() {
        return loader;
    }

    int refusing() {
        return refusing;
    }

    byte[] code() {
        return code.clone();
    }
}
