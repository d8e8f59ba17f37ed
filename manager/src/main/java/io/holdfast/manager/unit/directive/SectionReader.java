package io.holdfast.manager.unit.directive;

/**
 * Takes assignments into the fields of one record, in the order written. To honour one more
 * directive, add a {@code case} to the reader of its record: that alone makes it known as applied.
 */
public interface SectionReader {
    /**
     * Takes the assignment if its key belongs to this reader.
     *
     * @return false if it does not; then nothing has happened
     */
    boolean assign(Assignment a);
}
