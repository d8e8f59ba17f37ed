package io.holdfast.core.sys;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code linux/bpf.h}: programs that the kernel runs for the processes of a cgroup and of those
 * below it. A program that is attached stays so until the cgroup is removed, whoever attached it.
 * Needs CAP_SYS_ADMIN, or CAP_BPF and CAP_NET_ADMIN.
 */
public final class SysBpf {
    /** The event for which a program runs. */
    public enum Hook {
        /** A device node is opened or made. */
        DEVICE(15, 6),
        /** A socket receives a packet. */
        INGRESS(8, 0),
        /** A socket sends a packet. */
        EGRESS(8, 1);

        private final int type; // BPF_PROG_TYPE_CGROUP_DEVICE or _SKB
        private final int attachType; // BPF_CGROUP_DEVICE or _INET_

        Hook(int type, int attachType) {
            this.type = type;
            this.attachType = attachType;
        }
    }

    /** The size of an instruction. */
    public static final int INSTRUCTION = 8;

    private static final long NUMBER = Machine.ARM ? 280 : 321;
    private static final int MAP_CREATE = 0;
    private static final int MAP_LOOKUP_ELEM = 1;
    private static final int PROG_LOAD = 5;
    private static final int PROG_ATTACH = 8;
    private static final int PROG_DETACH = 9;
    private static final int PROG_GET_FD_BY_ID = 13;
    private static final int MAP_GET_FD_BY_ID = 14;
    private static final int OBJ_GET_INFO_BY_FD = 15;
    private static final int PROG_QUERY = 16;
    private static final int MAP_TYPE_ARRAY = 2;
    private static final int ALLOW_MULTI = 2; // the programs of cgroups above and below run, too
    private static final int MOST_ATTACHED = 64; // BPF_CGROUP_MAX_PROGS
    private static final int ATTRIBUTE = 72; // of union bpf_attr, as far as we use it
    private static final int INFO = 80; // of struct bpf_prog_info
    private static final int NAME = 16;
    private static final int NAME_IN_ATTRIBUTE = 48;
    private static final int NAME_IN_MAP = 28; // in the attribute of a map
    private static final int ID_IN_INFO = 4;
    private static final int MAPS_IN_INFO = 52; // their number, and the address of their ids
    private static final int NAME_IN_INFO = 64;

    private static final Libc.Function SYSCALL = Libc.bind("syscall"); // libc has no bpf()

    private SysBpf() {}

    private static int call(int command, Scratch scratch, int size) {
        return Libc.intCall(SYSCALL, scratch.errno, NUMBER, command, scratch.address, size, 0, 0);
    }

    private static ByteBuffer zeroed(Scratch scratch, int size) {
        return scratch.bytes.put(0, new byte[size]);
    }

    /**
     * Loads a program.
     *
     * @param name at most 15 letters
     * @param code its instructions
     * @return the program, owned by the caller
     * @throws ErrnoException EPERM; EINVAL or EACCES if the kernel does not accept the program
     */
    public static Fd load(Hook hook, String name, byte[] code) {
        Scratch scratch = Scratch.take();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment instructions = arena.allocate(code.length, INSTRUCTION);
            instructions.asByteBuffer().put(code);
            ByteBuffer attribute = zeroed(scratch, ATTRIBUTE);
            int _ = CString.put(attribute, ATTRIBUTE, "Apache-2.0");
            int _ = CString.put(attribute, NAME_IN_ATTRIBUTE, name);
            attribute.putInt(0, hook.type);
            attribute.putInt(4, code.length / INSTRUCTION);
            attribute.putLong(8, instructions.address());
            attribute.putLong(16, scratch.address + ATTRIBUTE);
            return Fd.adopt(call(PROG_LOAD, scratch, ATTRIBUTE), "bpf(BPF_PROG_LOAD)", name);
        } finally {
            scratch.release();
        }
    }

    /** Attaches a program to a cgroup, beside those that are attached: 0 or -errno. */
    public static int attach(Fd cgroup, Hook hook, Fd program) {
        return change(PROG_ATTACH, cgroup, hook, program, ALLOW_MULTI);
    }

    /** Detaches a program from a cgroup: 0 or -errno. */
    public static int detach(Fd cgroup, Hook hook, Fd program) {
        return change(PROG_DETACH, cgroup, hook, program, 0);
    }

    private static int change(int command, Fd cgroup, Hook hook, Fd program, int flags) {
        Scratch scratch = Scratch.take();
        int folder = cgroup.acquire();
        int number = program.acquire();
        try {
            ByteBuffer attribute = zeroed(scratch, ATTRIBUTE);
            attribute.putInt(0, folder);
            attribute.putInt(4, number);
            attribute.putInt(8, hook.attachType);
            attribute.putInt(12, flags);
            return call(command, scratch, ATTRIBUTE);
        } finally {
            program.release();
            cgroup.release();
            scratch.release();
        }
    }

    /**
     * Returns the programs with a name that are attached to a cgroup.
     *
     * @return owned by the caller
     * @throws ErrnoException EPERM; EINVAL if the kernel cannot tell
     */
    public static List<Fd> attached(Fd cgroup, Hook hook, String name) {
        List<Fd> found = new ArrayList<>();
        try {
            for (int id : ids(cgroup, hook)) {
                Fd program = byId(id);
                if (program != null) {
                    found.add(program);
                    if (!name.equals(nameOf(program))) {
                        found.removeLast().close();
                    }
                }
            }
        } catch (RuntimeException e) {
            found.forEach(Fd::close);
            throw e;
        }
        return found;
    }

    private static int[] ids(Fd cgroup, Hook hook) {
        Scratch scratch = Scratch.take();
        int folder = cgroup.acquire();
        try {
            ByteBuffer attribute = zeroed(scratch, ATTRIBUTE);
            attribute.putInt(0, folder);
            attribute.putInt(4, hook.attachType);
            attribute.putLong(16, scratch.address + ATTRIBUTE);
            attribute.putInt(24, MOST_ATTACHED);
            int r = call(PROG_QUERY, scratch, ATTRIBUTE);
            ErrnoException.check(r, "bpf(BPF_PROG_QUERY)", "the cgroup");
            int[] ids = new int[attribute.getInt(24)];
            for (int i = 0; i < ids.length; i++) {
                ids[i] = attribute.getInt(ATTRIBUTE + i * Integer.BYTES);
            }
            return ids;
        } finally {
            cgroup.release();
            scratch.release();
        }
    }

    /** Returns the program with an id; null if it is gone. */
    private static @Nullable Fd byId(int id) {
        return byId(PROG_GET_FD_BY_ID, "bpf(BPF_PROG_GET_FD_BY_ID)", id);
    }

    private static @Nullable Fd byId(int command, String name, int id) {
        Scratch scratch = Scratch.take();
        try {
            zeroed(scratch, ATTRIBUTE).putInt(0, id);
            int r = call(command, scratch, ATTRIBUTE);
            return r == -Errno.ENOENT ? null : Fd.adopt(r, name, Integer.toString(id));
        } finally {
            scratch.release();
        }
    }

    /** Returns the number of a program, which no other has while it is loaded; never 0. */
    public static int id(Fd program) {
        return info(program).getInt(ID_IN_INFO);
    }

    private static String nameOf(Fd program) {
        byte[] name = new byte[NAME];
        info(program).get(NAME_IN_INFO, name);
        return CString.decode(name).replace("\0", "");
    }

    /**
     * Creates a map with one value, which is zeroed. It lives as long as a descriptor of it, or a
     * program that uses it.
     *
     * @param name at most 15 letters
     * @param size of the value in bytes, a multiple of 8
     * @return the map, owned by the caller
     * @throws ErrnoException EPERM
     */
    public static Fd createMap(String name, int size) {
        Scratch scratch = Scratch.take();
        try {
            ByteBuffer attribute = zeroed(scratch, ATTRIBUTE);
            attribute.putInt(0, MAP_TYPE_ARRAY);
            attribute.putInt(4, Integer.BYTES);
            attribute.putInt(8, size);
            attribute.putInt(12, 1);
            int _ = CString.put(attribute, NAME_IN_MAP, name);
            return Fd.adopt(call(MAP_CREATE, scratch, ATTRIBUTE), "bpf(BPF_MAP_CREATE)", name);
        } finally {
            scratch.release();
        }
    }

    /**
     * Returns the first map that a program uses.
     *
     * @return owned by the caller; null if it uses none, or has gone
     * @throws ErrnoException EPERM
     */
    public static @Nullable Fd mapOf(Fd program) {
        ByteBuffer info = info(program);
        return info.getInt(MAPS_IN_INFO) == 0
                ? null
                : byId(MAP_GET_FD_BY_ID, "bpf(BPF_MAP_GET_FD_BY_ID)", info.getInt(INFO));
    }

    /** Reads the value of a {@linkplain #createMap map} with one value, as 8-byte numbers. */
    public static long[] read(Fd map, int numbers) {
        Scratch scratch = Scratch.take();
        int number = map.acquire();
        try {
            ByteBuffer attribute = zeroed(scratch, ATTRIBUTE + Integer.BYTES);
            int value = ATTRIBUTE + Long.BYTES; // behind the key, which is 0
            attribute.putInt(0, number);
            attribute.putLong(8, scratch.address + ATTRIBUTE);
            attribute.putLong(16, scratch.address + value);
            int r = call(MAP_LOOKUP_ELEM, scratch, ATTRIBUTE);
            ErrnoException.check(r, "bpf(BPF_MAP_LOOKUP_ELEM)", "the map");
            long[] numbersRead = new long[numbers];
            for (int i = 0; i < numbers; i++) {
                numbersRead[i] = attribute.getLong(value + i * Long.BYTES);
            }
            return numbersRead;
        } finally {
            map.release();
            scratch.release();
        }
    }

    private static ByteBuffer info(Fd program) {
        Scratch scratch = Scratch.take();
        int number = program.acquire();
        try {
            ByteBuffer attribute = zeroed(scratch, ATTRIBUTE + INFO + Integer.BYTES);
            attribute.putInt(0, number);
            attribute.putInt(4, INFO);
            attribute.putLong(8, scratch.address + ATTRIBUTE);
            attribute.putInt(ATTRIBUTE + MAPS_IN_INFO, 1);
            attribute.putLong(ATTRIBUTE + MAPS_IN_INFO + 4, scratch.address + ATTRIBUTE + INFO);
            int r = call(OBJ_GET_INFO_BY_FD, scratch, ATTRIBUTE);
            ErrnoException.check(r, "bpf(BPF_OBJ_GET_INFO_BY_FD)", "the program");
            byte[] info = new byte[INFO + Integer.BYTES];
            attribute.get(ATTRIBUTE, info);
            return ByteBuffer.wrap(info).order(ByteOrder.nativeOrder());
        } finally {
            program.release();
            scratch.release();
        }
    }
}
