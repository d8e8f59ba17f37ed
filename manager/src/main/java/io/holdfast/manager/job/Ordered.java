package io.holdfast.manager.job;

/** A job that takes part in ordering: an existing one, or one of a transaction. */
abstract class Ordered {
    JobType type;
    boolean ignoresOrder;
    private final JobUnit unit;

    Ordered(JobUnit unit, JobType type, boolean ignoresOrder) {
        this.unit = unit;
        this.type = type;
        this.ignoresOrder = ignoresOrder;
    }

    final JobUnit unit() {
        return unit;
    }

    final JobType type() {
        return type;
    }

    /** Returns whether it neither waits for other jobs nor makes them wait. */
    final boolean ignoresOrder() {
        return ignoresOrder;
    }

    /**
     * Returns whether the first job goes before the second, by the order of their units and by
     * their types: stops go before starts whatever the order of the units, and stops go in reverse
     * order.
     *
     * @param unitIsBefore whether the unit of the first job is ordered {@code Before=} that of the
     *     second; otherwise it is ordered {@code After=} it
     */
    static boolean goesFirst(Ordered first, Ordered second, boolean unitIsBefore) {
        if (isFree(first) || isFree(second)) {
            return false;
        }
        return unitIsBefore ? !second.type().isStopping() : first.type().isStopping();
    }

    private static boolean isFree(Ordered job) {
        return job.type() == JobType.NOP || job.ignoresOrder();
    }

    /** Returns the job as shown in logs: {@code web.service/start}. */
    final String text() {
        return unit().name() + "/" + type().word();
    }
}
