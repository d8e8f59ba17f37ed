package io.holdfast.manager.job;

/** A job whose order can be judged: one that is there, or one of a transaction. */
interface Ordered {
    JobUnit unit();

    JobType type();

    /** Whether it waits for nobody, and nobody for it. */
    boolean ignoresOrder();

    /**
     * Whether the first job goes before the second, by the order of their units and by what they
     * do: stops go before starts whatever the order of the units, and among themselves in reverse.
     *
     * @param unitIsBefore whether the first one's unit is ordered {@code Before=} the second one's;
     *     else it is ordered {@code After=} it
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

    /** The word for the journal: {@code web.service/start}. */
    default String text() {
        return unit().name() + "/" + type().word();
    }
}
