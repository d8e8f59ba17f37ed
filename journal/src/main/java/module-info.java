/** Journal files of systemd. */
module io.holdfast.journal {
    requires transitive io.holdfast.core;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.journal;
}
