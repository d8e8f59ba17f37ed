package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;

/** An error in a rules file or folder. */
public record RuleDiagnostic(Place place, String message) {
    @Override
    public String toString() {
        return place + ": " + message;
    }
}
