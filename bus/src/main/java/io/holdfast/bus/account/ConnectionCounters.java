package io.holdfast.bus.account;

/** What went through one connection since it is there. */
public final class ConnectionCounters {
    public long messagesIn;
    public long bytesIn;
    public long messagesOut;
    public long bytesOut;
    public long peakQueued;
}
