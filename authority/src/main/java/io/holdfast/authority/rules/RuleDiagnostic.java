package io.holdfast.authority.rules;

import io.holdfast.authority.action.Place;

/** Something that is wrong with a rules file or folder. */
public record RuleDiagnostic(Place place, String message) {
    @Override
    public String toString() {
        return place + ": " + message;
    }
}
