package io.holdfast.bus.account;

/** Counters of one bus since it was opened. */
public final class BusCounters {
    public long accepted;
    public long refusedAtAccept;
    public long messagesIn;
    public int peakConnections;
    public int peakNames;
    public int peakMatches;
    public int peakMatchesOfOne;
    public int peakNamesOfOne;
}
