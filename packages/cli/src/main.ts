console.log('kerf');
