package io.holdfast.manager.unit.condition;

import io.holdfast.manager.unit.host.VersionOrder;
import io.holdfast.manager.unit.value.Glob;
import io.holdfast.manager.unit.value.Scalars;
import java.util.List;

/**
 * An operator and what follows it: {@code >=5.10}.
 *
 * @param operator empty if the text begins with none
 * @param operand without blanks before it
 */
record Comparison(String operator, String operand) {
    /** Each before its own prefixes. */
    private static final List<String> OPERATORS =
            List.of("$=", "!$=", "<>", "<=", ">=", "<", ">", "==", "=", "!=");

    /** Splits a text behind its operator. */
    static Comparison parse(String text) {
        String operator = OPERATORS.stream().filter(text::startsWith).findFirst().orElse("");
        return new Comparison(operator, text.substring(operator.length()).stripLeading());
    }

    /** Returns a copy with this operator if it has none. */
    Comparison or(String otherwise) {
        return operator.isEmpty() ? new Comparison(otherwise, operand) : this;
    }

    /**
     * Compares texts: by the order of versions, by equality ({@code =}, {@code !=}) or by a pattern
     * ({@code $=}).
     */
    boolean holdsForText(String actual) {
        return switch (operator) {
            case "=" -> actual.equals(operand);
            case "!=" -> !actual.equals(operand);
            case "$=" -> Glob.matches(operand, actual);
            case "!$=" -> !Glob.matches(operand, actual);
            default -> holdsForOrder(VersionOrder.compare(actual, operand));
        };
    }

    /**
     * Compares by an order.
     *
     * @param order of the actual value to the operand, as of a comparator
     * @throws IllegalArgumentException if the operator is one for patterns
     */
    boolean holdsForOrder(int order) {
        return switch (operator) {
            case "<" -> order < 0;
            case "<=" -> order <= 0;
            case ">" -> order > 0;
            case ">=" -> order >= 0;
            case "=", "==" -> order == 0;
            case "!=", "<>" -> order != 0;
            default -> throw Scalars.bad("a comparison", operator + operand);
        };
    }
}
