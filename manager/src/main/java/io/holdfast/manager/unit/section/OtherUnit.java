package io.holdfast.manager.unit.section;

/** A unit of a type whose own section is not supported yet: it has only the common sections. */
public record OtherUnit(UnitParts parts) implements Unit {
    @Override
    public OtherUnit with(UnitParts other) {
        return new OtherUnit(other);
    }
}
