package io.holdfast.authority.rules.evaluation;

import io.holdfast.authority.action.SourceLine;
import io.holdfast.authority.rules.RuleStep;
import io.holdfast.authority.rules.sandbox.RuleSandbox;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.mozilla.javascript.Context;
import org.mozilla.javascript.Function;
import org.mozilla.javascript.JSFunction;
import org.mozilla.javascript.Node;
import org.mozilla.javascript.Token;
import org.mozilla.javascript.ast.AstNode;
import org.mozilla.javascript.ast.Block;
import org.mozilla.javascript.ast.FunctionNode;
import org.mozilla.javascript.ast.IfStatement;
import org.mozilla.javascript.ast.InfixExpression;
import org.mozilla.javascript.ast.Name;
import org.mozilla.javascript.ast.ParenthesizedExpression;
import org.mozilla.javascript.ast.PropertyGet;
import org.mozilla.javascript.ast.StringLiteral;

/**
 * A function that a file adds.
 *
 * @param place where the file adds it
 * @param actions the actions that it concerns; empty if it may concern any
 * @param silence the step of an evaluation in which it returned nothing, which is the usual case
 * @param source makes the function
 */
record RuleFunction(SourceLine place, Set<String> actions, RuleStep silence, Source source) {
    RuleFunction(SourceLine place, Set<String> actions, Source source) {
        this(place, actions, new RuleStep(place, "nothing"), source);
    }

    /** Makes the function in a realm. */
    @FunctionalInterface
    interface Source {
        Function in(RuleSandbox.Cell cell, Realm realm);
    }

    boolean isAbout(String action) {
        return actions.isEmpty() || actions.contains(action);
    }

    /**
     * Returns the actions for which a function may have an effect, if its body consists only of
     *
     * <pre>{@code
     * if (action.id == "org.example.a" || action.id == "org.example.b") { … }
     * if (action.id == "org.example.c" && …) { … }
     * }</pre>
     *
     * Scripts cannot change {@code action.id}, so that comparing it has no effect.
     *
     * @return empty if it may have an effect for any action
     */
    static Set<String> actions(FunctionNode function) {
        List<AstNode> parameters = function.getParams();
        Set<String> found = new HashSet<>();
        boolean isPlain =
                !function.isGenerator()
                        && function.getDefaultParams() == null
                        && !function.hasRestParameter()
                        && parameters.stream().allMatch(Name.class::isInstance)
                        && parameters.stream().map(AstNode::toSource).distinct().count()
                                == parameters.size();
        if (!isPlain || parameters.isEmpty() || !(function.getBody() instanceof Block body)) {
            return Set.of();
        }
        String action = parameters.getFirst().toSource();
        for (Node statement : body) {
            if (!(statement instanceof IfStatement choice)
                    || choice.getElsePart() != null
                    || !areAlternatives(first(choice.getCondition()), action, found)) {
                return Set.of();
            }
        }
        return found;
    }

    /** Returns the condition that is evaluated first. */
    private static AstNode first(AstNode condition) {
        AstNode bare = bare(condition);
        return bare instanceof InfixExpression infix && infix.getType() == Token.AND
                ? first(infix.getLeft())
                : bare;
    }

    /** Returns whether a condition only compares the action with texts, which it adds. */
    private static boolean areAlternatives(AstNode condition, String action, Set<String> texts) {
        if (!(bare(condition) instanceof InfixExpression infix)) {
            return false;
        }
        return switch (infix.getType()) {
            case Token.OR ->
                    areAlternatives(infix.getLeft(), action, texts)
                            && areAlternatives(infix.getRight(), action, texts);
            case Token.EQ, Token.SHEQ ->
                    bare(infix.getLeft()) instanceof PropertyGet get
                            && get.getTarget() instanceof Name target
                            && target.getIdentifier().equals(action)
                            && get.getProperty().getIdentifier().equals("id")
                            && bare(infix.getRight()) instanceof StringLiteral text
                            && isAdded(text.getValue(), texts);
            default -> false;
        };
    }

    private static boolean isAdded(String text, Set<String> texts) {
        boolean _ = texts.add(text);
        return true;
    }

    private static AstNode bare(AstNode node) {
        return node instanceof ParenthesizedExpression wrapped
                ? bare(wrapped.getExpression())
                : node;
    }

    /** Returns whether the function can be suspended, as long as it calls only scripts. */
    static boolean isScript(Function function) {
        return function instanceof JSFunction;
    }

    static Object call(Context cx, Function function, Realm realm, Object[] arguments) {
        return isScript(function)
                ? cx.callFunctionWithContinuations(function, realm.global(), arguments)
                : function.call(cx, realm.global(), realm.global(), arguments);
    }
}
