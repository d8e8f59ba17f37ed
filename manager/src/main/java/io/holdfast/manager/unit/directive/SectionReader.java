package io.holdfast.manager.unit.directive;

/**
 * Reads assignments into the fields of one record, in the order written. To support one more
 * directive, add a {@code case} to the reader of its record: that alone makes it known as applied.
 */
public interface SectionReader {
    /**
     * Reads the assignment if its key belongs to this reader.
     *
     * @return false if it does not; then nothing has changed
     */
    boolean assign(Assignment a);
}
