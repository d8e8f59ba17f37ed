package io.holdfast.core.process.privilege;

import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.CString;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A static program of some forty instructions that makes a list of system calls and then executes
 * another program in its place, with the arguments and the environment that it was given itself.
 * Where no tool sets an attribute of a process at the right time, a child executes this program
 * first. If a call fails, the process exits with the status that belongs to the call, unless it may
 * fail.
 *
 * <pre>{@code
 * SetupProgram setup = new SetupProgram();
 * setup.call(216, Call.SETRESGID, 33, 33, 33);
 * setup.call(217, Call.SETRESUID, 33, 33, 33);
 * try (Fd file = setup.file("/usr/bin/id", 203)) {
 *     Spawn.ofDescriptor(3).argumentZero("id").descriptor(3, file).start();
 * }
 * }</pre>
 *
 * <p>The instructions are always the same ({@link SetupMachine}); the calls are data behind them:
 * the program has no input but these, and loads no library. It is a file in memory that nobody can
 * change, not even its owner. Not safe for use by several threads.
 */
public final class SetupProgram {
    /** A system call that the program can make. */
    public enum Call {
        CHDIR(80, 49),
        CHROOT(161, 51),
        CLOSE(3, 57),
        KEYCTL(250, 219),
        MOUNT(165, 40),
        MOVE_MOUNT(429, 429),
        SETGROUPS(116, 159),
        SETRESGID(119, 149),
        SETRESUID(117, 147),
        CAPSET(126, 91),
        PRCTL(157, 167),
        SETNS(308, 268),
        SECCOMP(317, 277),
        UNSHARE(272, 97);

        final int x86;
        final int aarch64;

        Call(int x86, int aarch64) {
            this.x86 = x86;
            this.aarch64 = aarch64;
        }
    }

    private static final int SEGMENTS = 2;
    private static final int HEADERS_BYTES = ElfImage.headersBytes(SEGMENTS);
    private static final int MOST_ARGUMENTS = 5;
    private static final long EXECUTE = -1; // instead of the number of a call
    private static final int MAY_FAIL = -1; // instead of an exit status

    private record Step(long number, long status, List<Long> arguments) {}

    private final SetupMachine machine;
    private final ByteArrayOutputStream data = new ByteArrayOutputStream();
    private final int dataStart;
    private final List<Step> steps = new ArrayList<>();

    /** Creates a program without calls. */
    public SetupProgram() {
        this(SetupMachine.local());
    }

    SetupProgram(SetupMachine machine) {
        this.machine = machine;
        this.dataStart = HEADERS_BYTES + machine.code().length + ElfImage.WORD;
    }

    /**
     * Adds a call.
     *
     * @param status the exit status of the process if the call fails
     * @param arguments at most 5; the others are 0
     * @throws IllegalArgumentException if there are more
     */
    public void call(int status, Call call, long... arguments) {
        if (arguments.length > MOST_ARGUMENTS) {
            throw new IllegalArgumentException(call + " with " + arguments.length + " arguments");
        }
        steps.add(
                new Step(machine.number(call), status, Arrays.stream(arguments).boxed().toList()));
    }

    /** Adds a call after which the process goes on even if it fails. */
    public void attempt(Call call, long... arguments) {
        call(MAY_FAIL, call, arguments);
    }

    /**
     * Adds data that calls refer to.
     *
     * @return its address in the program, a multiple of 8
     */
    public long put(byte[] bytes) {
        long address = ElfImage.BASE + dataStart + data.size();
        data.writeBytes(bytes);
        data.writeBytes(new byte[-bytes.length & (ElfImage.WORD - 1)]);
        return address;
    }

    /** Adds numbers that calls refer to, each in 4 bytes. */
    public long putInts(int... values) {
        byte[] bytes = new byte[values.length * Integer.BYTES];
        ByteBuffer buffer = ElfImage.buffer(bytes);
        for (int value : values) {
            buffer.putInt(value);
        }
        return put(bytes);
    }

    /** Adds numbers that calls refer to, each in 8 bytes. */
    public long putLongs(long... values) {
        byte[] bytes = new byte[values.length * Long.BYTES];
        ByteBuffer buffer = ElfImage.buffer(bytes);
        for (long value : values) {
            buffer.putLong(value);
        }
        return put(bytes);
    }

    /**
     * Returns the program as a file that can only be read and executed.
     *
     * @param program the path of the program that it executes at the end
     * @param status the exit status of the process if that fails
     * @throws ErrnoException EACCES if the machine refuses programs in memory, EMFILE, ENOMEM
     */
    public Fd file(String program, int status) {
        return ElfImage.file("holdfast-setup", image(program, status));
    }

    byte[] image(String program, int status) {
        long path = put(CString.bytes(program));
        List<Step> all = new ArrayList<>(steps);
        all.add(new Step(EXECUTE, status, List.of(path)));
        int table = dataStart + data.size();
        byte[] bytes = new byte[table + all.size() * (2 + MOST_ARGUMENTS) * ElfImage.WORD];
        ByteBuffer image = ElfImage.buffer(bytes);
        ElfImage.header(image, machine.elf(), SEGMENTS);
        ElfImage.segment(
                image,
                ElfImage.LOAD,
                ElfImage.READ_EXECUTE,
                0,
                ElfImage.BASE,
                image.capacity(),
                ElfImage.ALIGNMENT);
        ElfImage.segment(image, ElfImage.STACK, ElfImage.READ_WRITE, 0, 0, 0, 2L * ElfImage.WORD);
        image.put(machine.code()).putLong(ElfImage.BASE + table).put(data.toByteArray());
        for (Step step : all) {
            image.putLong(step.number).putLong(step.status);
            for (int i = 0; i < MOST_ARGUMENTS; i++) {
                image.putLong(i < step.arguments.size() ? step.arguments.get(i) : 0);
            }
        }
        return bytes;
    }
}
