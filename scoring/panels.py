"""The written addition under a lead's words: why its score is what it is."""

from leads.panels import Context, Data, panel
from scoring.explanation import explain, rules_of


@panel("score", 10, "main", "scoring/_addition.html")
def addition(context: Context) -> Data | None:
    """Fit and intent, line by line, as far as the lead has been scored."""
    lead = context.lead
    if lead is None or lead.score is None or lead.score_version is None:
        return None
    lines, (version, _rules) = explain(lead), rules_of(lead.score_version)
    columns = [
        ("fit", [line for line in lines if line.part == "fit"], lead.fit, version.fit_cap),
        ("intent", [line for line in lines if line.part == "intent"], lead.intent, version.intent_cap),
    ]
    return {"columns": columns, "version": version, "cap": version.fit_cap + version.intent_cap, "each": max(version.fit_cap, version.intent_cap)}
