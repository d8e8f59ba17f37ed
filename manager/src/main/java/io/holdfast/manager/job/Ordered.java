package io.holdfast.manager.job;

/** A job that takes part in ordering: an existing one, or one of a transaction. */
interface Ordered {
    JobUnit unit();

    JobType type();

    /** Returns whether it neither waits for other jobs nor makes them wait. */
    boolean ignoresOrder();

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
    default String text() {
        return unit().name() + "/" + type().word();
    }
}
