package io.holdfast.authority.rules.evaluation;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.mozilla.javascript.EvaluatorException;
import org.mozilla.javascript.Node;
import org.mozilla.javascript.Token;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.Block;
import org.mozilla.javascript.ast.EmptyStatement;
import org.mozilla.javascript.ast.ExpressionStatement;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.IfStatement;
import org.mozilla.javascript.ast.InfixExpression;
import org.mozilla.javascript.ast.Name;
import org.mozilla.javascript.ast.ParenthesizedExpression;
import org.mozilla.javascript.ast.PropertyGet;
import org.mozilla.javascript.ast.StringLiteral;

/**
 * What the text of a function shows of when it does anything at all. For an action, or for a user,
 * that is not among these it returns nothing and has no effect: it consists of
 *
 * <pre>{@code
 * if (action.id == "org.example.a" || action.id == "org.example.b") { … }
 * if (action.id == "org.example.c" && subject.user == "jane" && …) { … }
 * }</pre>
 *
 * An {@code action.id} is a text that scripts cannot change, so that comparing it has no effect and
 * cannot fail. A {@code subject.user} is one as long as {@link SubjectObject#userAsText} says so.
 * What stands before the comparison might have an effect: such a function may be about anything. A
 * function about users that is run for an action that it is about asks for the user before it does
 * anything else, so that no script can see that the user was asked for beforehand.
 *
 * @param actions empty if it may be about any
 * @param users empty if it may be about any
 */
record RuleGuard(Optional<Set<String>> actions, Optional<Set<String>> users) {
    /** A longer function is about anything, as far as we look. In characters. */
    static final int MAX_SOURCE = 1 << 14;

    /** Of a function that may be about anything. */
    static final RuleGuard NONE = new RuleGuard(Optional.empty(), Optional.empty());

    /**
     * Reads a function.
     *
     * @param source of the function
     */
    static RuleGuard of(String source) {
        if (source.length() > MAX_SOURCE) {
            return NONE;
        }
        try {
            return function(ScriptSource.parse("(" + source + ")", ""))
                    .map(function -> of(function, source.length()))
                    .orElse(NONE);
        } catch (EvaluatorException | StackOverflowError e) {
            return NONE; // a method, which is no expression
        }
    }

    private static Optional<FunctionNode> function(Node script) {
        return script.getFirstChild() instanceof ExpressionStatement statement
                        && unwrapped(statement.getExpression()) instanceof FunctionNode function
                ? Optional.of(function)
                : Optional.empty();
    }

    /**
     * The same of a function that was read with its file.
     *
     * @param length of its text
     */
    static RuleGuard of(FunctionNode function, int length) {
        if (length > MAX_SOURCE) {
            return NONE;
        }
        List<AstNode> parameters = function.getParams();
        boolean plain =
                !function.isGenerator()
                        && function.getDefaultParams() == null
                        && !function.hasRestParameter()
                        && parameters.stream().allMatch(Name.class::isInstance)
                        && parameters.stream().map(RuleGuard::name).distinct().count()
                                == parameters.size();
        if (!plain || !(function.getBody() instanceof Block body)) {
            return NONE;
        }
        Property action = new Property(parameter(parameters, 0), "id", null);
        Property user = new Property(parameter(parameters, 1), "user", action);
        return new RuleGuard(action.comparedIn(body), user.comparedIn(body));
    }

    /** Its name; empty, as no expression is, where there is none. */
    private static String parameter(List<AstNode> parameters, int index) {
        return index < parameters.size() ? name(parameters.get(index)) : "";
    }

    /**
     * A property that functions compare with texts.
     *
     * @param object its name in the function
     * @param other a property that may be compared before it
     */
    private record Property(String object, String name, @Nullable Property other) {
        /** All texts that it has to be one of for something to happen; empty if any will do. */
        Optional<Set<String>> comparedIn(Block body) {
            Set<String> texts = new HashSet<>();
            for (Node statement : body) {
                if (!isIdle(statement, texts)) {
                    return Optional.empty();
                }
            }
            return Optional.of(Set.copyOf(texts));
        }

        /** Whether a statement does nothing for all but the texts that it adds. */
        private boolean isIdle(Node statement, Set<String> texts) {
            return switch (statement) {
                case EmptyStatement _ -> true;
                case ExpressionStatement directive ->
                        directive.getExpression() instanceof StringLiteral;
                case IfStatement choice ->
                        choice.getElsePart() == null && isFalse(choice.getCondition(), texts);
                default -> false;
            };
        }

        /** Whether a condition is false, without an effect, for all but the texts that it adds. */
        private boolean isFalse(AstNode condition, Set<String> texts) {
            return unwrapped(condition) instanceof InfixExpression infix
                    && switch (infix.getType()) {
                        case Token.AND ->
                                isFalse(infix.getLeft(), texts)
                                        || (other != null
                                                && other.isOneOf(infix.getLeft())
                                                && new Property(object, name, null)
                                                        .isFalse(infix.getRight(), texts));
                        case Token.OR ->
                                isFalse(infix.getLeft(), texts) && isFalse(infix.getRight(), texts);
                        default -> comparison(infix).map(texts::add).isPresent();
                    };
        }

        /** Whether a condition is that it is one of some texts, and nothing else. */
        private boolean isOneOf(AstNode condition) {
            return unwrapped(condition) instanceof InfixExpression infix
                    && (infix.getType() == Token.OR
                            ? isOneOf(infix.getLeft()) && isOneOf(infix.getRight())
                            : comparison(infix).isPresent());
        }

        /** The text that it is compared with. */
        private Optional<String> comparison(InfixExpression infix) {
            if (infix.getType() != Token.EQ && infix.getType() != Token.SHEQ) {
                return Optional.empty();
            }
            AstNode left = unwrapped(infix.getLeft());
            AstNode right = unwrapped(infix.getRight());
            return isMe(left) ? text(right) : isMe(right) ? text(left) : Optional.empty();
        }

        private boolean isMe(AstNode node) {
            return node instanceof PropertyGet get
                    && get.getTarget() instanceof Name target
                    && target.getIdentifier().equals(object)
                    && get.getProperty().getIdentifier().equals(name);
        }

        private static Optional<String> text(AstNode node) {
            return node instanceof StringLiteral literal
                    ? Optional.of(literal.getValue())
                    : Optional.empty();
        }
    }

    private static String name(AstNode node) {
        return node instanceof Name name ? name.getIdentifier() : "";
    }

    private static AstNode unwrapped(AstNode node) {
        AstNode inner = node;
        while (inner instanceof ParenthesizedExpression wrapped) {
            inner = wrapped.getExpression();
        }
        return inner;
    }
}
