/** Receives log messages, and attributes each to its sender by pidfd. */
module io.holdfast.receiver {
    requires transitive io.holdfast.journal;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.receiver;
}
