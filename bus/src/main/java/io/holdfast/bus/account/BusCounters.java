package io.holdfast.bus.account;

/** What happened on one bus since it began. */
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
