package io.holdfast.core.sys;

/** {@code sys/ipc.h}: the objects of System V IPC. */
public final class SysIpc {
    private static final int IPC_RMID = 0;

    /** The kinds of objects. */
    public enum Kind {
        /** Shared memory, {@code shmctl(2)}. */
        SHARED_MEMORY("shm", Libc.bind("shmctl")),
        /** Sets of semaphores, {@code semctl(2)}. */
        SEMAPHORES("sem", Libc.bind("semctl")),
        /** Message queues, {@code msgctl(2)}. */
        MESSAGES("msg", Libc.bind("msgctl"));

        private final String name;
        private final Libc.Function control;

        Kind(String name, Libc.Function control) {
            this.name = name;
            this.control = control;
        }

        /** {@return the file that lists them, with the names of its columns in the first line} */
        public String list() {
            return "/proc/sysvipc/" + name;
        }
    }

    private SysIpc() {}

    /**
     * IPC_RMID: removes an object.
     *
     * @return 0, or -errno
     */
    public static int remove(Kind kind, int id) {
        boolean ofSet = kind == Kind.SEMAPHORES; // has the command in the third place
        return Libc.intCall(kind.control, id, ofSet ? 0 : IPC_RMID, ofSet ? IPC_RMID : 0, 0, 0, 0);
    }
}
