/** Holdfast manager. */
module io.holdfast.manager {
    requires io.holdfast.core;
    requires io.holdfast.varlink;
    requires static org.jspecify;
    requires static com.google.errorprone.annotations;

    exports io.holdfast.manager;
}
