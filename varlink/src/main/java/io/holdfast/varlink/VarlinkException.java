package io.holdfast.varlink;

import io.holdfast.varlink.idl.tree.IdlNames;
import io.holdfast.varlink.json.JsonObject;
import java.io.Serial;

/** An error reply: a handler throws it to send one, and a call throws it on receiving one. */
public final class VarlinkException extends RuntimeException {
    /** The name of the interface that every service has. */
    public static final String SERVICE = "org.varlink.service";

    @Serial private static final long serialVersionUID = 1;

    /** The qualified name of the error. */
    private final String error;

    private final transient JsonObject parameters;

    /**
     * Makes an error reply.
     *
     * @param error the qualified name, as {@code io.holdfast.Manager.NoSuchUnit}
     * @param parameters the parameters of the error
     * @throws IllegalArgumentException if that is no valid error name
     */
    public VarlinkException(String error, JsonObject parameters) {
        super(parameters.isEmpty() ? error : error + " " + parameters);
        IdlNames.require(IdlNames.isQualified(error), "an error", error);
        this.error = error;
        this.parameters = parameters;
    }

    /**
     * Makes an error reply without parameters.
     *
     * @param error the qualified name
     * @throws IllegalArgumentException if that is no valid error name
     */
    public VarlinkException(String error) {
        this(error, JsonObject.EMPTY);
    }

    /**
     * {@return an error: the interface is not served}
     *
     * @param name the name of the interface
     */
    public static VarlinkException interfaceNotFound(String name) {
        return of("InterfaceNotFound", JsonObject.of("interface", name));
    }

    /**
     * {@return an error: the method, or its interface, is not served}
     *
     * @param qualifiedName the qualified name of the method
     */
    public static VarlinkException methodNotFound(String qualifiedName) {
        return of("MethodNotFound", JsonObject.of("method", qualifiedName));
    }

    /**
     * {@return an error: the method is defined but not implemented}
     *
     * @param qualifiedName the qualified name of the method
     */
    public static VarlinkException methodNotImplemented(String qualifiedName) {
        return of("MethodNotImplemented", JsonObject.of("method", qualifiedName));
    }

    /**
     * {@return an error: a parameter is unknown, missing, of the wrong type or invalid}
     *
     * @param name the name of the parameter
     */
    public static VarlinkException invalidParameter(String name) {
        return of("InvalidParameter", JsonObject.of("parameter", name));
    }

    /** {@return an error: the peer lacks the permission} */
    public static VarlinkException permissionDenied() {
        return of("PermissionDenied", JsonObject.EMPTY);
    }

    /** {@return an error: the method must be called with {@code more}} */
    public static VarlinkException expectedMore() {
        return of("ExpectedMore", JsonObject.EMPTY);
    }

    /**
     * {@return an error: the method must be called with {@code upgrade} (systemd 261 and newer)}
     */
    public static VarlinkException expectedUpgrade() {
        return of("ExpectedUpgrade", JsonObject.EMPTY);
    }

    private static VarlinkException of(String error, JsonObject parameters) {
        return new VarlinkException(SERVICE + "." + error, parameters);
    }

    /** {@return the error's qualified name} */
    public String error() {
        return error;
    }

    /** {@return the error's parameters; {@link JsonObject#EMPTY} if it has none} */
    public JsonObject parameters() {
        return parameters;
    }
}
