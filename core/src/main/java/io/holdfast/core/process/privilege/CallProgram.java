package io.holdfast.core.process.privilege;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CString;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A program of some forty instructions that calls functions of shared libraries, one after the
 * other, in the way that a table describes: for what must happen in a process itself and needs more
 * than system calls ({@link SetupProgram}), such as a session of PAM, whose modules change the
 * process that they are called in.
 *
 * <pre>{@code
 * CallProgram program = new CallProgram("libc.so.6");
 * Label failed = program.label();
 * program.call("puts", Branch.ifNegative(failed), program.text("hello"));
 * program.call("_exit", Branch.NEXT, program.number(0));
 * program.place(failed);
 * program.call("_exit", Branch.NEXT, program.number(1));
 * try (Fd file = program.file("hello")) { … }
 * }</pre>
 *
 * <p>An argument is a {@link Word}: the call gets what is in the word at the time of the call. So a
 * result that a call leaves in a word is an argument of later calls. The last call must not return.
 * It is executed by a new process only, with an environment that may load no other libraries. Not
 * safe for use by several threads.
 */
public final class CallProgram {
    /**
     * A word in the memory of the program.
     *
     * @param address its address
     * @param symbol of a library, whose address it has instead; empty: none
     */
    public record Word(long address, String symbol) {}

    /** A place in the list of calls. */
    public static final class Label {
        private int step = -1;
    }

    /**
     * Where the program continues, by the result of a call, an {@code int}; null: at the next call.
     */
    public record Branch(@Nullable Label zero, @Nullable Label positive, @Nullable Label negative) {
        public static final Branch NEXT = new Branch(null, null, null);

        public static Branch ifNegative(Label label) {
            return new Branch(null, null, label);
        }

        public static Branch ifZero(Label label) {
            return new Branch(label, null, null);
        }

        public static Branch unlessZero(Label label) {
            return new Branch(null, label, label);
        }
    }

    private record Step(String function, Word result, Branch branch, List<Word> arguments) {}

    private static final int SEGMENTS = 5;
    private static final long DATA = 0x60_0000; // where it is in memory; the code has it too
    private static final int OFFSET = (int) ElfImage.ALIGNMENT; // where it is in the file
    private static final int MOST_ARGUMENTS = 5;
    private static final int STEP_BYTES = (5 + MOST_ARGUMENTS) * ElfImage.WORD;
    private static final String START = "__libc_start_main";

    // linux/elf.h, elf.h
    private static final int DT_NEEDED = 1;
    private static final int DT_STRTAB = 5;
    private static final int DT_SYMTAB = 6;
    private static final int DT_RELA = 7;
    private static final int DT_RELASZ = 8;
    private static final int DT_RELAENT = 9;
    private static final int DT_STRSZ = 10;
    private static final int DT_SYMENT = 11;
    private static final int GLOBAL = 0x10; // STB_GLOBAL, STT_NOTYPE
    private static final int SYMBOL_BYTES = 24;
    private static final int RELOCATION_BYTES = 24;

    private final CallMachine machine;
    private final List<String> libraries;
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private final Map<Long, Word> numbers = new HashMap<>();
    private final Map<Long, String> relocations = new LinkedHashMap<>(); // address to symbol
    private final List<Step> steps = new ArrayList<>();
    private final Word ignored;
    private final Word zero;

    /** The arguments that the program is given, as execve(2) wants them. */
    public final Word arguments;

    /**
     * Creates a program without calls.
     *
     * @param libraries the names of those that have its functions
     */
    public CallProgram(String... libraries) {
        this(CallMachine.local(), libraries);
    }

    CallProgram(CallMachine machine, String... libraries) {
        this.machine = machine;
        this.libraries = List.of(libraries);
        relocations.put(word().address(), START);
        arguments = word();
        Word _ = word(); // the first step
        ignored = word();
        zero = number(0);
    }

    /** Adds data, and returns its address, a multiple of 8. */
    public long put(byte[] bytes) {
        long address = DATA + data.size();
        data.writeBytes(bytes);
        data.writeBytes(new byte[-bytes.length & (ElfImage.WORD - 1)]);
        return address;
    }

    /** Returns a new word, which is 0 at first. */
    public Word word() {
        return new Word(put(new byte[ElfImage.WORD]), "");
    }

    /** Returns a word with a number, or the address of a word or data, that no call changes. */
    public Word number(long number) {
        return numbers.computeIfAbsent(number, _ -> new Word(put(bytes(number)), ""));
    }

    /** Returns a word with the address of a string. */
    public Word text(String text) {
        return number(put(CString.bytes(text)));
    }

    /** Returns a variable of a library, which is one word. */
    public Word variable(String symbol) {
        return new Word(0, symbol);
    }

    /** Returns the address of a function that answers no question of PAM (pam_conv(3)). */
    public long refusing() {
        return ElfImage.BASE + ElfImage.headersBytes(SEGMENTS) + machine.refusing();
    }

    private static byte[] bytes(long number) {
        byte[] bytes = new byte[ElfImage.WORD];
        ElfImage.buffer(bytes).putLong(number);
        return bytes;
    }

    /** Returns a label that is not placed yet. */
    public Label label() {
        return new Label();
    }

    /** Places a label before the next call. */
    public void place(Label label) {
        label.step = steps.size();
    }

    /**
     * Adds a call whose result is not kept.
     *
     * @param arguments at most 5; the others are 0
     */
    public void call(String function, Branch branch, Word... arguments) {
        call(function, ignored, branch, arguments);
    }

    /**
     * Adds a call.
     *
     * @param result receives its result
     * @param arguments at most 5; the others are 0
     * @throws IllegalArgumentException if there are more
     */
    public void call(String function, Word result, Branch branch, Word... arguments) {
        if (arguments.length > MOST_ARGUMENTS) {
            throw new IllegalArgumentException(
                    function + " with " + arguments.length + " arguments");
        }
        steps.add(new Step(function, result, branch, List.of(arguments)));
    }

    /**
     * Returns the program as a file that can only be read and executed.
     *
     * @param name of the file, shown in {@code /proc/PID/fd} only
     * @throws ErrnoException EACCES if the machine refuses programs in memory, EMFILE, ENOMEM
     */
    public Fd file(String name) {
        return ElfImage.file(name, image());
    }

    byte[] image() {
        byte[] table = table(DATA + data.size());
        long first = put(table);
        ByteArrayOutputStream strings = new ByteArrayOutputStream();
        strings.write(0);
        List<Long> entries = new ArrayList<>();
        for (String library : libraries) {
            entries.addAll(List.of((long) DT_NEEDED, (long) name(strings, library)));
        }
        List<String> symbols = relocations.values().stream().distinct().toList();
        long symbolTable = put(symbols(symbols, strings));
        long stringTable = put(strings.toByteArray());
        long relocated = put(relocations(symbols));
        entries.addAll(List.of((long) DT_STRTAB, stringTable));
        entries.addAll(List.of((long) DT_STRSZ, (long) strings.size()));
        entries.addAll(List.of((long) DT_SYMTAB, symbolTable));
        entries.addAll(List.of((long) DT_SYMENT, (long) SYMBOL_BYTES));
        entries.addAll(List.of((long) DT_RELA, relocated));
        entries.addAll(List.of((long) DT_RELASZ, (long) relocations.size() * RELOCATION_BYTES));
        entries.addAll(List.of((long) DT_RELAENT, (long) RELOCATION_BYTES));
        entries.addAll(List.of(0L, 0L, 0L, 0L)); // DT_NULL, and room for the loader
        byte[] dynamic = new byte[entries.size() * ElfImage.WORD];
        entries.forEach(ElfImage.buffer(dynamic)::putLong);
        long dynamics = put(dynamic);
        byte[] loader = CString.bytes(machine.loader());
        long interpreter = put(loader);
        byte[] image = new byte[OFFSET + data.size()];
        ByteBuffer buffer = ElfImage.buffer(image);
        ElfImage.header(buffer, machine.elf(), SEGMENTS);
        inData(buffer, ElfImage.INTERPRETER, interpreter, loader.length, 1);
        int codeBytes = ElfImage.headersBytes(SEGMENTS) + machine.code().length;
        ElfImage.segment(
                buffer,
                ElfImage.LOAD,
                ElfImage.READ_EXECUTE,
                0,
                ElfImage.BASE,
                codeBytes,
                ElfImage.ALIGNMENT);
        inData(buffer, ElfImage.LOAD, DATA, data.size(), ElfImage.ALIGNMENT);
        inData(buffer, ElfImage.DYNAMIC, dynamics, dynamic.length, ElfImage.WORD);
        ElfImage.segment(buffer, ElfImage.STACK, ElfImage.READ_WRITE, 0, 0, 0, 2 * ElfImage.WORD);
        buffer.put(machine.code());
        buffer.put(OFFSET, data.toByteArray());
        buffer.putLong(OFFSET + 2 * ElfImage.WORD, first);
        return image;
    }

    private static void inData(
            ByteBuffer buffer, int type, long address, long size, long alignment) {
        long offset = address - DATA + OFFSET;
        ElfImage.segment(buffer, type, ElfImage.READ_WRITE, offset, address, size, alignment);
    }

    /** Returns the steps, and notes what the loader fills in. */
    private byte[] table(long start) {
        byte[] bytes = new byte[steps.size() * STEP_BYTES];
        ByteBuffer table = ElfImage.buffer(bytes);
        for (int i = 0; i < steps.size(); i++) {
            Step step = steps.get(i);
            long next = start + (i + 1L) * STEP_BYTES;
            relocations.put(start + table.position(), step.function);
            table.putLong(0).putLong(step.result.address());
            for (Label label :
                    new @Nullable Label[] {
                        step.branch.zero, step.branch.positive, step.branch.negative
                    }) {
                table.putLong(label == null ? next : start + (long) label.step * STEP_BYTES);
            }
            for (int each = 0; each < MOST_ARGUMENTS; each++) {
                Word word = each < step.arguments.size() ? step.arguments.get(each) : zero;
                if (!word.symbol().isEmpty()) {
                    relocations.put(start + table.position(), word.symbol());
                }
                table.putLong(word.address());
            }
        }
        return bytes;
    }

    private static int name(ByteArrayOutputStream strings, String name) {
        int at = strings.size();
        strings.writeBytes(CString.bytes(name));
        return at;
    }

    private static byte[] symbols(List<String> names, ByteArrayOutputStream strings) {
        byte[] bytes = new byte[(names.size() + 1) * SYMBOL_BYTES];
        ByteBuffer table = ElfImage.buffer(bytes).position(SYMBOL_BYTES); // the first one is empty
        for (String name : names) {
            table.putInt(name(strings, name)).put((byte) GLOBAL).put((byte) 0);
            table.putShort((short) 0).putLong(0).putLong(0);
        }
        return bytes;
    }

    private byte[] relocations(List<String> symbols) {
        byte[] bytes = new byte[relocations.size() * RELOCATION_BYTES];
        ByteBuffer table = ElfImage.buffer(bytes);
        relocations.forEach((address, symbol) -> {
            long index = symbols.indexOf(symbol) + 1L;
            table.putLong(address).putLong(index << 32 | machine.relocation()).putLong(0);
        });
        return bytes;
    }
}
