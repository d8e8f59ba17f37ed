package io.holdfast.varlink;

import io.holdfast.varlink.idl.IdlNames;
import io.holdfast.varlink.json.JsonObject;
import java.io.Serial;

/**
 * An error reply: thrown by a method's handler it is what the client gets, and a client throws what
 * it got.
 */
public final class VarlinkException extends RuntimeException {
    /** The name of the interface that every service has. */
    public static final String SERVICE = "org.varlink.service";

    @Serial private static final long serialVersionUID = 1;

    /** The qualified name. */
    private final String error;

    private final transient JsonObject parameters;

    /**
     * Describes an error to reply with.
     *
     * @param error the qualified name, as {@code io.holdfast.Manager.NoSuchUnit}
     * @param parameters the parameters of the error
     * @throws IllegalArgumentException if that can be no error's name
     */
    public VarlinkException(String error, JsonObject parameters) {
        super(parameters.isEmpty() ? error : error + " " + parameters);
        IdlNames.require(IdlNames.isQualified(error), "an error", error);
        this.error = error;
        this.parameters = parameters;
    }

    /**
     * An error without parameters.
     *
     * @param error the qualified name
     * @throws IllegalArgumentException if that can be no error's name
     */
    public VarlinkException(String error) {
        this(error, JsonObject.EMPTY);
    }

    /**
     * {@return the interface is not served}
     *
     * @param name the name of the interface or parameter
     */
    public static VarlinkException interfaceNotFound(String name) {
        return of("InterfaceNotFound", JsonObject.of("interface", name));
    }

    /**
     * {@return the method, or its interface, is not served}
     *
     * @param qualifiedName the name of the method, with that of its interface
     */
    public static VarlinkException methodNotFound(String qualifiedName) {
        return of("MethodNotFound", JsonObject.of("method", qualifiedName));
    }

    /**
     * {@return the method is defined but does not do this}
     *
     * @param qualifiedName the name of the method, with that of its interface
     */
    public static VarlinkException methodNotImplemented(String qualifiedName) {
        return of("MethodNotImplemented", JsonObject.of("method", qualifiedName));
    }

    /**
     * {@return a parameter is unknown, missing, of the wrong type or without sense}
     *
     * @param name the name of the interface or parameter
     */
    public static VarlinkException invalidParameter(String name) {
        return of("InvalidParameter", JsonObject.of("parameter", name));
    }

    /** {@return the peer may not do that} */
    public static VarlinkException permissionDenied() {
        return of("PermissionDenied", JsonObject.EMPTY);
    }

    /** {@return the method answers only to calls that ask for several replies} */
    public static VarlinkException expectedMore() {
        return of("ExpectedMore", JsonObject.EMPTY);
    }

    /**
     * {@return the method answers only to calls that ask for an upgrade (systemd 261 and newer)}
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
