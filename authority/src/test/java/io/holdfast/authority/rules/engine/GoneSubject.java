package io.holdfast.authority.rules.engine;

import io.holdfast.authority.rules.RuleSubject;
import java.util.List;
import java.util.Optional;

/** A process of user 1 that has gone before its facts are looked up. */
public class GoneSubject implements RuleSubject {
    @Override
    public int pid() {
        throw new SubjectGoneException("the process has gone");
    }

    @Override
    public long uid() {
        return 1;
    }

    @Override
    public String user() {
        throw new SubjectGoneException("the process has gone");
    }

    @Override
    public List<String> groups() {
        return List.of();
    }

    @Override
    public Optional<String> seat() {
        return Optional.empty();
    }

    @Override
    public Optional<String> session() {
        return Optional.empty();
    }

    @Override
    public boolean isLocal() {
        return false;
    }

    @Override
    public boolean isActive() {
        return false;
    }

    @Override
    public Optional<String> systemUnit() {
        return Optional.empty();
    }

    @Override
    public Optional<Boolean> noNewPrivileges() {
        return Optional.empty();
    }

    @Override
    public boolean isInGroup(String group) {
        return false;
    }

    @Override
    public boolean isInNetGroup(String netgroup) {
        return false;
    }
}
