package io.holdfast.bus;

/** What went through one connection since it is there. */
final class ConnectionCounters {
    long messagesIn;
    long bytesIn;
    long messagesOut;
    long bytesOut;
    long peakQueued;
}
