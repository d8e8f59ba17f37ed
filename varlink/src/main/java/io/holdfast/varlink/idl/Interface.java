package io.holdfast.varlink.idl;

import io.holdfast.varlink.idl.tree.Definition;
import io.holdfast.varlink.json.JsonObject;
import java.util.Optional;

/**
 * A Varlink interface definition, immutable. Its {@code toString()} is its text, which {@link
 * #parse} reads back to an equal value.
 */
public sealed interface Interface permits Definition {
    /**
     * Parses a definition.
     *
     * @param text the definition
     * @return the interface
     * @throws IdlException if the text is no valid definition: with line, column and reason
     */
    static Interface parse(String text) {
        return Definition.parse(text);
    }

    /** {@return the name, as {@code io.holdfast.Manager}} */
    String name();

    /**
     * Compares a call's parameters with the method's definition: every field that is not nullable
     * must be present, every field must have its type, and none may be unknown.
     *
     * @param method the name of a method of this interface
     * @param parameters the parameters
     * @return the first mismatch, as {@code units[3].name: expected int, found string}; empty if
     *     there is none
     * @throws IllegalArgumentException if the interface has no such method
     */
    Optional<String> checkInput(String method, JsonObject parameters);

    /**
     * Compares a reply with the method's definition, as a client should: unknown fields are
     * accepted, since they may come from a newer service.
     *
     * @param method the name of a method of this interface
     * @param parameters the parameters
     * @return the first mismatch; empty if there is none
     * @throws IllegalArgumentException if the interface has no such method
     */
    Optional<String> checkOutput(String method, JsonObject parameters);
}
