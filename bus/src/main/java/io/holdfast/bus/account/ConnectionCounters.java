package io.holdfast.bus.account;

/** What one connection has received and sent since it connected. */
public final class ConnectionCounters {
    public long messagesIn;
    public long bytesIn;
    public long messagesOut;
    public long bytesOut;
    public long peakQueued;
}
