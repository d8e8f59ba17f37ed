package io.holdfast.core.event;

import jdk.jfr.FlightRecorder;

/**
 * Tells the flight recorder what happens. Callers ask {@link #isOn} first, which costs the read of
 * two fields: what describes an event is found out only then. Safe for use by any thread.
 */
public final class Recorder {
    private static final boolean IS_THERE = ModuleLayer.boot().findModule("jdk.jfr").isPresent();

    private Recorder() {}

    /** Whether anything is, or was, recorded in this JVM. */
    public static boolean isOn() {
        return IS_THERE && Flights.areRecorded();
    }

    /** Loaded only where there is a flight recorder. */
    private static final class Flights {
        static boolean areRecorded() {
            return FlightRecorder.isInitialized();
        }
    }

    /** A start of a process that is under way. */
    public static final class Start {
        private final SpawnEvent event = new SpawnEvent();

        private Start(String program) {
            event.program = program;
            event.begin();
        }

        /** It was started. */
        public void started(String process) {
            event.process = process;
            event.commit();
        }

        /** It was not. */
        public void failed(Throwable why) {
            event.failure = why.toString();
            event.commit();
        }
    }

    /** A start of a process begins. */
    public static Start start(String program) {
        return new Start(program);
    }

    /** A child was reaped. */
    public static void exited(String process, String exit) {
        ExitEvent event = new ExitEvent();
        event.process = process;
        event.exit = exit;
        event.commit();
    }

    /**
     * A signal was sent.
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
     * The peer of a socket was asked for.
     *
     * @param how the kind of {@code Peer}
     */
    public static void peer(String process, long uid, String how) {
        PeerEvent event = new PeerEvent();
        event.process = process;
        event.uid = uid;
        event.how = how;
        event.commit();
    }

    /**
     * A cgroup was changed.
     *
     * @param change what was done
     * @param process that was moved; empty for other changes
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
