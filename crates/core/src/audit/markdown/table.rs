//! Tables: rows that are findings, rows that sum findings up, and tables that only count.

use super::candidate::{Candidate, Harvest, Origin, Rated, Standing};
use super::content::Content;
use super::document::{Row, Table};
use super::headline;
use super::inline::Inline;
use super::prefix;
use super::tone;
use super::walk::Around;
use crate::audit::location::{self, Trust};
use crate::audit::{FindingStatus, severity, status};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Id,
    Title,
    Severity,
    Location,
    Lines,
    Fix,
    Status,
    Count,
    Category,
    Other,
}

const COLUMNS: &[(Column, &[&str])] = &[
    (
        Column::Id,
        &[
            "#",
            "id",
            "no",
            "no.",
            "编号",
            "序号",
            "finding id",
            "issue id",
            "cve",
            "advisory",
            "cve id",
            "nr",
            "№",
            "番号",
        ],
    ),
    (
        Column::Title,
        &[
            "issue",
            "issues",
            "finding",
            "findings",
            "title",
            "vulnerability",
            "problem",
            "bug",
            "weakness",
            "defect",
            "concern",
            "description",
            "observation",
            "gap",
            "smell",
            "violation",
            "issue description",
            "问题",
            "描述",
            "标题",
            "漏洞",
            "问题描述",
            "finding title",
            "vulnerabilities",
            "problema",
            "hallazgo",
            "問題",
            "内容",
            "risk description",
            "bug description",
        ],
    ),
    (
        Column::Severity,
        &[
            "severity",
            "risk",
            "priority",
            "level",
            "risk level",
            "criticality",
            "sev",
            "严重",
            "严重程度",
            "级别",
            "等级",
            "优先级",
            "严重性",
            "风险等级",
            "severidad",
            "severidade",
            "重要度",
            "深刻度",
            "rating",
        ],
    ),
    (
        Column::Location,
        &[
            "file",
            "files",
            "location",
            "locations",
            "path",
            "file:line",
            "affected code",
            "affected files",
            "where",
            "affected",
            "source",
            "位置",
            "文件",
            "路径",
            "file(s)",
            "component",
            "module",
            "file path",
            "affected file",
            "ファイル",
            "場所",
            "archivo",
        ],
    ),
    (Column::Lines, &["line", "lines", "行", "行号", "line(s)", "line number"]),
    (
        Column::Fix,
        &[
            "fix",
            "recommendation",
            "remediation",
            "solution",
            "action",
            "mitigation",
            "suggestion",
            "recommended fix",
            "resolution",
            "修复",
            "建议",
            "解决方案",
            "修复建议",
            "suggested fix",
            "fixed in",
            "fix version",
            "recommended action",
        ],
    ),
    (Column::Status, &["status", "state", "状态", "estado", "fixed", "fixed?", "resolved", "状況"]),
    (
        Column::Count,
        &[
            "count",
            "total",
            "number",
            "qty",
            "数量",
            "found",
            "occurrences",
            "amount",
            "个数",
            "# issues",
            "issues found",
        ],
    ),
    (Column::Category, &["category", "type", "area", "类别", "类型", "分类", "kind", "owasp", "cwe"]),
];

fn column(head: &Inline) -> Column {
    let lower = head.text.trim().to_lowercase();
    let known = COLUMNS.iter().find(|(_, names)| names.contains(&lower.as_str()));
    known.map_or(Column::Other, |&(column, _)| column)
}

/// Whether a table below a heading lists findings, so that the heading is not one itself.
pub(crate) fn lists_findings(table: &Table, in_band: bool) -> bool {
    let columns: Vec<Column> = table.head.iter().map(column).collect();
    let has = |column| columns.contains(&column);
    !table.rows.is_empty()
        && !has(Column::Count)
        && ((has(Column::Title) && (has(Column::Severity) || has(Column::Location) || has(Column::Id)))
            || (has(Column::Location) && (has(Column::Severity) || in_band)))
}

/// Takes in a table. `standing` is what its rows are where the table stands, if they are findings at all.
pub(crate) fn take(table: &Table, around: &Around, standing: Standing, harvest: &mut Harvest) {
    let columns: Vec<Column> = table.head.iter().map(column).collect();
    let has = |column| columns.contains(&column);
    if has(Column::Count) && !has(Column::Location) {
        return take_counts(table, &columns, harvest);
    }
    let named = has(Column::Title) || has(Column::Id);
    let listed = match standing {
        Standing::Sure => {
            has(Column::Title)
                && (has(Column::Severity) || has(Column::Location) || has(Column::Id) || around.expects)
                || has(Column::Id) && has(Column::Severity)
                || around.band.is_some() && has(Column::Location)
        }
        Standing::Index | Standing::Echo => named && (has(Column::Severity) || has(Column::Status)),
        Standing::Box | Standing::Remark => false,
    };
    if !listed {
        return;
    }
    for row in &table.rows {
        harvest.candidates.extend(take_row(row, &columns, around, standing));
    }
}

fn take_row(row: &Row, columns: &[Column], around: &Around, standing: Standing) -> Option<Candidate> {
    let cell = |wanted: Column| {
        let at = columns.iter().position(|&column| column == wanted)?;
        row.cells.get(at).filter(|cell| !cell.text.trim().is_empty())
    };
    let filled = row.cells.iter().filter(|cell| !cell.text.trim().is_empty()).count();
    if filled < 2 {
        return None;
    }
    let mut content = Content::default();
    let rated = cell(Column::Severity).map(|cell| severity::of_value(&cell.text));
    content.severity = rated.flatten();
    let id_cell = cell(Column::Id).map(|cell| cell.text.trim().to_owned());
    let id_struck = cell(Column::Id).is_some_and(Inline::is_struck);
    let id = id_cell.filter(|id| prefix::is_id(id, false));
    if rated == Some(None) && id.is_none() && around.band.is_none() {
        return None;
    }
    let state = cell(Column::Status).map(|cell| cell.text.as_str());
    if state.is_some_and(|state| status::is_pass(state) && status::of_mark(state).is_none()) {
        return None;
    }
    content.status = state.and_then(status::of_value);
    for column in [Column::Location, Column::Lines] {
        if let Some(cell) = cell(column) {
            take_places(cell, column, &mut content);
        }
    }
    content.fix = cell(Column::Fix).map(|cell| cell.text.trim().to_owned()).unwrap_or_default();
    content.category = cell(Column::Category).map(|cell| cell.text.trim().to_owned()).unwrap_or_default();
    let rest = |(&column, cell): (&Column, &Inline)| {
        let said = match column {
            Column::Other => !cell.text.trim().is_empty(),
            // A column of lines may hold the name of a function.
            Column::Lines => {
                cell.text.contains(char::is_alphabetic) && !cell.text.trim_start().starts_with(['L', 'l'])
            }
            Column::Severity => content.severity.is_none() && !cell.text.trim().is_empty(),
            Column::Id
            | Column::Title
            | Column::Location
            | Column::Fix
            | Column::Status
            | Column::Count
            | Column::Category => false,
        };
        said.then(|| cell.text.trim().to_owned())
    };
    let rest: Vec<String> = columns.iter().zip(&row.cells).filter_map(rest).collect();
    let mut head = match cell(Column::Title) {
        Some(title) => headline::read(title),
        None => headline::read(&Inline::plain(&if rest.is_empty() {
            content.category.clone()
        } else {
            rest.join(" — ")
        })),
    };
    if tone::is_nothing(&head.title) && id.is_none() {
        return None;
    }
    if let Some(title) = cell(Column::Title) {
        location::find(&title.text, Trust::Prose, &mut content.mentioned);
        title.links().for_each(|link| location::find(link, Trust::Prose, &mut content.mentioned));
    }
    content.text = rest.join("\n");
    head.id = id.or(head.id);
    if (id_struck || row.cells.iter().any(|cell| cell.is_struck() && cell.text.len() > 12))
        && head.status.is_none()
    {
        head.status = Some(FindingStatus::Fixed);
    }
    // A summary does not prove that a finding is open: only what it says beyond that counts.
    if standing > Standing::Sure && content.status == Some(FindingStatus::Open) {
        content.status = None;
    }
    Some(around.candidate(head, content, Origin::Row, standing, row.line))
}

fn take_places(cell: &Inline, column: Column, content: &mut Content) {
    match (column, content.stated.first_mut()) {
        (Column::Lines, Some(place)) if place.lines.is_none() => {
            let with_lines = format!("{} line {}", place.path, cell.text);
            let mut found = Vec::new();
            location::find(&with_lines, Trust::Field, &mut found);
            if found.first().is_some_and(|found| found.path == place.path) {
                content.stated = found;
            }
        }
        (Column::Lines, _) => {}
        (_, _) => {
            location::find(&cell.text, Trust::Field, &mut content.stated);
            cell.links().for_each(|link| location::find(link, Trust::Prose, &mut content.stated));
        }
    }
}

/// A table that counts findings by group may say how bad a group is.
fn take_counts(table: &Table, columns: &[Column], harvest: &mut Harvest) {
    let Some(at) = columns.iter().position(|&column| column == Column::Severity) else { return };
    for row in &table.rows {
        let group = row
            .cells
            .iter()
            .enumerate()
            .find(|&(cell, _)| cell != at && columns.get(cell) != Some(&Column::Count));
        let rated = row.cells.get(at).and_then(|cell| severity::of_value(&cell.text));
        if let (Some((_, group)), Some(severity)) = (group, rated) {
            harvest.rated.push(Rated { group: group.text.clone(), severity });
        }
    }
}
