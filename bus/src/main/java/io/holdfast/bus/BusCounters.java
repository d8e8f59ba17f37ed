package io.holdfast.bus;

/** What happened on one bus since it began. */
final class BusCounters {
    long accepted;
    long refusedAtAccept;
    long messagesIn;
    int peakConnections;
    int peakNames;
    int peakMatches;
    int peakMatchesOfOne;
    int peakNamesOfOne;
}
