package io.holdfast.manager.target;

import io.holdfast.manager.runtime.ManagerContext;
import io.holdfast.manager.runtime.PassiveUnit;
import io.holdfast.manager.unit.section.Unit;

/** A target at run time: active once it is reached. */
public final class ManagedTarget extends PassiveUnit {
    public ManagedTarget(ManagerContext context, Unit unit) {
        super(context, unit);
    }
}
