//! The style sheet: one file, made of `style/main.css` and its imports.

use std::path::Path;

use anyhow::{Context, Result, bail};

/// Reads a style sheet and puts the files that it imports in the place of `@import "name.css";` lines.
pub fn bundle(main: &Path) -> Result<String> {
    let folder = main.parent().context("the style sheet has no folder")?;
    inline_imports(&read(main)?, &|name| read(&folder.join(name)))
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Imports are one level deep, a line each: media queries and layers are written in the imported file.
fn inline_imports(css: &str, read: &dyn Fn(&str) -> Result<String>) -> Result<String> {
    let mut bundled = String::new();
    for line in css.lines() {
        if line.trim_start().starts_with("@import") {
            let imported = read(imported_name(line)?)?;
            if imported.contains("@import") {
                bail!("an imported style sheet must not import others: {line}");
            }
            bundled.push_str(imported.trim_end());
        } else {
            bundled.push_str(line);
        }
        bundled.push('\n');
    }
    Ok(bundled)
}

/// The file name in `@import "name.css";`.
fn imported_name(line: &str) -> Result<&str> {
    line.trim()
        .strip_prefix("@import \"")
        .and_then(|rest| rest.strip_suffix("\";"))
        .filter(|name| !name.contains(['"', ':', '/']))
        .with_context(|| format!("an import has the form `@import \"name.css\";`, but this one is: {line}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(name: &str) -> Result<String> {
        match name {
            "a.css" => Ok("a {}\n".into()),
            "nested.css" => Ok("@import \"a.css\";\n".into()),
            _ => bail!("no such file: {name}"),
        }
    }

    #[test]
    fn imports_are_replaced_in_place() {
        let bundled = inline_imports("/* first */\n@import \"a.css\";\nb {}\n", &files).unwrap();
        assert_eq!(bundled, "/* first */\na {}\nb {}\n");
    }

    #[test]
    fn an_import_that_would_be_fetched_later_is_refused() {
        for line in [
            "@import url(a.css);",
            "@import \"a.css\" print;",
            "@import \"https://example.org/a.css\";",
            "@import \"nested.css\";",
        ] {
            assert!(inline_imports(line, &files).is_err(), "{line}");
        }
    }
}
