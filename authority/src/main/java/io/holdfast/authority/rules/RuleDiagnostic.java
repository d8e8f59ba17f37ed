package io.holdfast.authority.rules;

import io.holdfast.authority.action.SourceLine;

/** An error in a rules file or folder. */
public record RuleDiagnostic(SourceLine place, String message) {
    @Override
    public String toString() {
        return place + ": " + message;
    }
}
