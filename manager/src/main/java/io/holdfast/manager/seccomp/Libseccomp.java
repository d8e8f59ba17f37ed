package io.holdfast.manager.seccomp;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.holdfast.core.Errno;
import io.holdfast.core.ErrnoException;
import io.holdfast.core.Fd;
import io.holdfast.core.sys.Libc.Function;
import io.holdfast.core.sys.Library;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The functions of {@code seccomp.h}, bound at their first use. */
final class Libseccomp {
    // seccomp.h
    static final int KILL_PROCESS = 0x8000_0000;
    static final int ERRNO = 0x0005_0000;
    static final int LOG = 0x7ffc_0000;
    static final int ALLOW = 0x7fff_0000;
    private static final int EDOM = 33; // errno.h: the architecture does not have the call
    private static final int ACT_BADARCH = 2;
    private static final int CTL_NNP = 3;

    private static final String LIBRARY = "libseccomp.so.2";
    private static final long NATIVE = 0;
    private static final int CONDITION_BYTES = 24; // struct scmp_arg_cmp

    private static volatile @Nullable Libseccomp loaded;

    private final Function init;
    private final Function release;
    private final Function archAdd;
    private final Function archRemove;
    private final Function archNative;
    private final Function attrSet;
    private final Function resolveName;
    private final Function resolveNameArch;
    private final Function ruleAdd;
    private final Function export;

    private Libseccomp(Library library) {
        init = library.function("seccomp_init");
        release = library.function("seccomp_release");
        archAdd = library.function("seccomp_arch_add");
        archRemove = library.function("seccomp_arch_remove");
        archNative = library.function("seccomp_arch_native");
        attrSet = library.function("seccomp_attr_set");
        resolveName = library.function("seccomp_syscall_resolve_name");
        resolveNameArch = library.function("seccomp_syscall_resolve_name_arch");
        ruleAdd = library.function("seccomp_rule_add_exact_array");
        export = library.function("seccomp_export_bpf");
    }

    /**
     * Loads the library.
     *
     * @throws ErrnoException ENOENT if it is not installed
     */
    static Libseccomp load() {
        Libseccomp known = loaded;
        if (known == null) {
            try {
                known = new Libseccomp(new Library(LIBRARY));
            } catch (IllegalArgumentException e) {
                throw new ErrnoException(
                        "dlopen",
                        LIBRARY,
                        Errno.ENOENT,
                        "restricting system calls needs Debian's package libseccomp2");
            }
            loaded = known;
        }
        return known;
    }

    /** Calls a function, which reports errors by its result. */
    private static long call(Function function, long a, long b, long c, long d, long e) {
        return Library.call(function, a, b, c, d, e, 0);
    }

    private static int checked(String function, long result) {
        if ((int) result < 0) {
            throw new ErrnoException(function, LIBRARY, -(int) result);
        }
        return (int) result;
    }

    /** How an argument is compared; the constants are those of {@code enum scmp_compare}. */
    enum Comparison {
        NOT_EQUAL(1),
        LESS(2),
        EQUAL(4),
        GREATER(6),
        /** Its bits that {@code value} has are set. */
        HAS_BITS(7);

        private final int number;

        Comparison(int number) {
            this.number = number;
        }
    }

    /**
     * A condition of a rule.
     *
     * @param argument of the call, from 0
     */
    record Condition(int argument, Comparison how, long value) {}

    /**
     * Returns the number of a call in an architecture; negative if that does not have it.
     *
     * @param architecture 0: the machine's own
     */
    int numberOf(String name, int architecture) {
        long word = Integer.toUnsignedLong(architecture);
        try (Arena arena = Arena.ofConfined()) {
            long text = arena.allocateFrom(name).address();
            return (int) call(resolveNameArch, word, text, 0, 0, 0);
        }
    }

    /** Returns the number of a call; negative if only other architectures have it. */
    private int number(Arena arena, String name) {
        return (int) call(resolveName, arena.allocateFrom(name).address(), 0, 0, 0, 0);
    }

    /** Begins a filter for the system calls of one architecture; the others it lets pass. */
    Filter filter(int architecture, int otherwise) {
        return new Filter(architecture, otherwise);
    }

    /** A filter under construction. */
    final class Filter implements AutoCloseable {
        private final long context;

        private Filter(int architecture, int otherwise) {
            context = call(init, Integer.toUnsignedLong(otherwise), 0, 0, 0, 0);
            if (context == 0) {
                throw new ErrnoException("seccomp_init", LIBRARY, Errno.ENOMEM);
            }
            if (architecture != NATIVE && architecture != (int) call(archNative, 0, 0, 0, 0, 0)) {
                int _ = checked("seccomp_arch_remove", call(archRemove, context, NATIVE, 0, 0, 0));
                add(architecture);
            }
            set(CTL_NNP, 0);
        }

        private void set(int attribute, int value) {
            long word = Integer.toUnsignedLong(value);
            int _ = checked("seccomp_attr_set", call(attrSet, context, attribute, word, 0, 0));
        }

        /** Adds an architecture; one that it has already changes nothing. */
        void add(int architecture) {
            long word = Integer.toUnsignedLong(architecture);
            long result = call(archAdd, context, word, 0, 0, 0);
            if ((int) result != -Errno.EEXIST) {
                int _ = checked("seccomp_arch_add", result);
            }
        }

        /** Lets the system calls of other architectures pass. */
        Filter lettingOthersPass() {
            set(ACT_BADARCH, ALLOW);
            return this;
        }

        /** Adds a rule; a call that the architecture does not have needs none. */
        void rule(int action, String name, Condition... conditions) {
            try (Arena arena = Arena.ofConfined()) {
                int number = number(arena, name);
                MemorySegment array = array(arena, List.of(conditions));
                long result =
                        call(
                                ruleAdd,
                                context,
                                Integer.toUnsignedLong(action),
                                number,
                                conditions.length,
                                array.address());
                boolean isMissing =
                        number == -1 // __NR_SCMP_ERROR
                                || (int) result == -EDOM
                                || (int) result == -Errno.EOPNOTSUPP;
                if (!isMissing) {
                    int _ = checked("seccomp_rule_add_exact_array", result);
                }
            }
        }

        private static MemorySegment array(Arena arena, List<Condition> conditions) {
            MemorySegment array = arena.allocate((long) CONDITION_BYTES * conditions.size() + 8, 8);
            for (int i = 0; i < conditions.size(); i++) {
                Condition condition = conditions.get(i);
                boolean masked = condition.how == Comparison.HAS_BITS;
                long at = (long) i * CONDITION_BYTES;
                array.set(JAVA_INT, at, condition.argument);
                array.set(JAVA_INT, at + 4, condition.how.number);
                array.set(JAVA_LONG, at + 8, condition.value);
                array.set(JAVA_LONG, at + 16, masked ? condition.value : 0);
            }
            return array;
        }

        /** Writes the program to a file. */
        void write(Fd file) {
            int _ =
                    checked(
                            "seccomp_export_bpf",
                            file.with(number -> call(export, context, number, 0, 0, 0)));
        }

        @Override
        public void close() {
            long _ = call(release, context, 0, 0, 0, 0);
        }
    }
}
