package io.holdfast.manager.notify;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;

/** Datagrams of services: a message whose values are in range, or malformed for a stated reason. */
public final class NotifyMessageTarget {
    private NotifyMessageTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, NotifyMessageTarget::check);
    }

    private static void check(byte[] input) {
        NotifyMessage message;
        try {
            message = NotifyMessage.parse(input);
        } catch (NotifyMessage.MalformedException e) {
            String reason = String.valueOf(e.getMessage());
            require(!reason.isBlank() && !reason.contains("\n"), "a refusal is one line");
            return;
        }
        require(message.mainPid().orElse(1) > 0, "a main process has a positive number");
        require(message.errno().orElse(0) >= 0, "an errno is not negative");
        require(message.watchdogMicros().orElse(0) >= 0, "a watchdog time is not negative");
        require(message.extendTimeoutMicros().orElse(0) >= 0, "an extension is not negative");
        require(message.status().map(status -> !status.contains("\n")).orElse(true), "one line");
        require(message.store().name().length() <= 255, "a descriptor's name is bounded");
    }
}
