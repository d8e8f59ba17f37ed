package io.holdfast.core.event;

import jdk.jfr.FlightRecorder;

/**
 * Records the library's events with Java Flight Recorder. Callers check {@link #isOn} first, which
 * costs the read of two fields, and collect the details of an event only if it is true. Safe for
 * use by any thread.
 */
public final class Recorder {
    private static final boolean IS_THERE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private Recorder() {}

    /** Returns whether JFR records, or has recorded, in this JVM. */
    public static boolean isOn() {
        return IS_THERE && Flights.areRecorded();
    }

    /** Loaded only if the JDK has a flight recorder. */
    private static final class Flights {
        static boolean areRecorded() {
            return FlightRecorder.isInitialized();
        }
    }

    /** The start of a process, while it is under way. */
    public static final class Start {
        private final SpawnEvent event = new SpawnEvent();

        private Start(String program) {
            event.program = program;
            event.begin();
        }

        /** Records that the process was started. */
        public void started(String process) {
            event.process = process;
            event.commit();
        }

        /** Records that the process could not be started. */
        public void failed(Throwable why) {
            event.failure = why.toString();
            event.commit();
        }
    }

    /** Begins the event of a process start. */
    public static Start start(String program) {
        return new Start(program);
    }

    /** Records that a child was reaped. */
    public static void exited(String process, String exit) {
        ExitEvent event = new ExitEvent();
        event.process = process;
        event.exit = exit;
        event.commit();
    }

    /**
     * Records that a signal was sent.
     *
     * @param result {@code sent}, {@code gone}, or the error
     */
    public static void signalled(String process, String signal, String result) {
        SignalEvent event = new SignalEvent();
        event.process = process;
        event.signal = signal;
        event.result = result;
        event.commit();
    }

    /**
     * Records that the peer of a socket was identified.
     *
     * @param how the class of the {@code Peer}
     */
    public static void peer(String process, long uid, String how) {
        PeerEvent event = new PeerEvent();
        event.process = process;
        event.uid = uid;
        event.how = how;
        event.commit();
    }

    /**
     * Records that a cgroup was changed.
     *
     * @param change the kind of the change
     * @param process the process that was moved; empty for other changes
     */
    public static void cgroup(String path, long id, String change, String process) {
        CgroupEvent event = new CgroupEvent();
        event.path = path;
        event.id = id;
        event.change = change;
        event.process = process;
        event.commit();
    }
}
